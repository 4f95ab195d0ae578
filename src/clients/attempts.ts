import { createHash } from 'node:crypto'
import { OAuthError } from '../oauth/errors.ts'
import type { Instant, Outside } from '../outside.ts'
import { addressBlock } from './address-block.ts'

const windowSeconds = 300
const mostInWindow = 10

/**
 * Slows the guessing of secrets (RFC 6749 §2.3.1): per client and address, so that nobody locks the real client out from elsewhere.
 * Counted in the store, over all processes and machines. Names that belong to no client are counted too, or the answer would tell them apart.
 */
export class Attempts {
  readonly #outside: Pick<Outside, 'store' | 'now'>

  constructor(outside: Pick<Outside, 'store' | 'now'>) {
    this.#outside = outside
  }

  /** Counts one attempt; refuses when there were too many. Throws an `Outage` when that cannot be found out. */
  async count(clientId: string, address: string): Promise<void> {
    const now = this.#outside.now()
    const count = await this.#outside.store.increment(keyOf(clientId, address, now), windowSeconds)
    if (count <= mostInWindow) return
    const retryAfter = Math.max(1, Math.ceil(windowSeconds - (now % windowSeconds)))
    throw new OAuthError('too-many-attempts', 'too many failed attempts; try again later', { retryAfter })
  }

  /** Forgets the attempts, because the last one succeeded. Whether that works does not matter to the one who succeeded. */
  async forget(clientId: string, address: string): Promise<void> {
    await this.#outside.store.delete(keyOf(clientId, address, this.#outside.now())).catch(() => undefined)
  }
}

// A hash: both parts are chosen by outsiders, and a store should learn no names from its keys. The window is part of it, so that its end is known.
function keyOf(clientId: string, address: string, now: Instant): string {
  const parts = JSON.stringify([clientId, addressBlock(address), Math.floor(now / windowSeconds)])
  return `attempts:${createHash('sha256').update(parts).digest('base64url')}`
}
