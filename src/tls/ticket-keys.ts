import { randomBytes } from 'node:crypto'

const bytes = 48
const millisecondsOfUse = 12 * 3_600_000

/**
 * The keys by which sessions are resumed (RFC 8446 §4.6.1): the same in all workers, since a client that comes again meets another one.
 * They are replaced, because with TLS 1.2 whoever learns them can read what was recorded (RFC 9325 §7.4).
 */
export class TicketKeys {
  #current: Buffer
  readonly #listeners: Array<(keys: Buffer) => void> = []

  constructor(keys: Uint8Array = randomBytes(bytes)) {
    this.#current = Buffer.from(keys)
  }

  get current(): Buffer {
    return this.#current
  }

  /** `hear` is called with each keys that come. */
  onReplaced(hear: (keys: Buffer) => void): void {
    this.#listeners.push(hear)
  }

  replace(keys: Uint8Array): void {
    this.#current = Buffer.from(keys)
    for (const hear of this.#listeners) hear(this.#current)
  }

  /** Replaces them again and again, for as long as the process lives otherwise. */
  keepReplacing(): this {
    setInterval(() => this.replace(randomBytes(bytes)), millisecondsOfUse).unref()
    return this
  }
}
