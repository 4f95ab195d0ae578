import { hash } from 'node:crypto'
import type { Grant } from '../exchange/grant.ts'
import type { JsonObject } from '../json.ts'
import type { Store } from '../stores/store.ts'

interface Kept {
  readonly manager: string
  readonly claims: JsonObject
}

/** The claims of tokens that do not tell them to this server: reference tokens, and those that were encrypted for somebody else. */
export class KeptTokens {
  readonly #store: Store
  readonly #manager: string

  constructor(store: Store, manager: string) {
    this.#store = store
    this.#manager = manager
  }

  /** Keeps what a new token means, until it ends. */
  async keep(token: string, claims: JsonObject, { expiresBy, now }: Pick<Grant, 'expiresBy' | 'now'>): Promise<void> {
    const kept: Kept = { manager: this.#manager, claims }
    await this.#store.put(keyOf(token), JSON.stringify(kept), Math.ceil(expiresBy - now))
  }

  /** The claims of a token of this manager. */
  async find(token: string): Promise<JsonObject | undefined> {
    const text = await this.#store.get(keyOf(token))
    if (text === undefined) return undefined
    const { manager, claims } = JSON.parse(text) as Kept
    return manager === this.#manager ? claims : undefined
  }
}

// Whoever reads the store cannot use what is in it.
function keyOf(token: string): string {
  return `token:${hash('sha256', token, 'base64url')}`
}
