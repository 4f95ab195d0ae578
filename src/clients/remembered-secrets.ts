import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Outside } from '../outside.ts'
import type { SecretHash } from './secrets.ts'

/**
 * Secrets that were proved against a slow hash, so that the next request pays one HMAC instead. Kept as digests under a key that
 * nobody else has and that dies with the process. Failures are not remembered: their number is up to outsiders.
 */
export class RememberedSecrets {
  readonly #key: KeyObject
  readonly #most: number
  /** By the hash that was proved: each has one secret. A changed hash is another name, so nothing outlives it. */
  readonly #proved = new Map<string, Buffer>()

  constructor(random: Outside['random'], most = 50_000) {
    this.#key = createSecretKey(random(32))
    this.#most = most
  }

  /** Whether the secret was proved to be the one of this hash. */
  knows({ text }: SecretHash, secret: string): boolean {
    const proved = this.#proved.get(text)
    return proved !== undefined && timingSafeEqual(proved, this.#digest(text, secret))
  }

  remember({ text }: SecretHash, secret: string): void {
    const [oldest] = this.#proved.keys()
    if (this.#proved.size >= this.#most && oldest !== undefined) this.#proved.delete(oldest)
    this.#proved.set(text, this.#digest(text, secret))
  }

  forget({ text }: SecretHash): void {
    this.#proved.delete(text)
  }

  #digest(hash: string, secret: string): Buffer {
    return createHmac('sha256', this.#key).update(`${hash}\n${secret}`).digest()
  }
}
