import { endOfElement, Malformed, tags } from './ber.ts'

/** Cuts what comes in at the ends of its messages. A large one is put together once, not with every part of it that comes. */
export class MessageStream {
  readonly #mostBytes: number
  #chunks: Buffer[] = []
  #size = 0
  #needed = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Whether nothing is left of what came in. */
  get empty(): boolean {
    return this.#size === 0
  }

  /** The messages that are complete now. Throws `Malformed`. */
  *messagesWith(chunk: Buffer): Generator<Buffer> {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size < this.#needed) return
    let rest = Buffer.concat(this.#chunks)
    let end = this.#endOf(rest)
    while (end !== undefined && end <= rest.length) {
      const message = rest.subarray(0, end)
      rest = rest.subarray(end)
      this.#keep(rest, 0)
      yield message
      end = this.#endOf(rest)
    }
    this.#keep(rest, end ?? rest.length + 1)
  }

  #endOf(bytes: Buffer): number | undefined {
    if (bytes.length === 0) return undefined
    if (bytes[0] !== tags.sequence) throw new Malformed('a message that does not begin as one')
    return endOfElement(bytes, this.#mostBytes)
  }

  #keep(rest: Buffer, needed: number): void {
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#size = rest.length
    this.#needed = needed
  }
}
