import type { Store } from '../stores/store.ts'

/** Which tokens of this server were revoked (RFC 7009). One entry reaches a token and everything that was exchanged from it. */
export class Revocations {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** `seconds` is as long as the last token that comes from this one may live. */
  async revoke(id: string, seconds: number): Promise<void> {
    await this.#store.put(keyOf(id), '', seconds)
  }

  /** Whether the token or one that it comes from was revoked. */
  async reach(id: string, ancestors: readonly string[]): Promise<boolean> {
    const found = await Promise.all([id, ...ancestors].map(each => this.#store.get(keyOf(each))))
    return found.some(entry => entry !== undefined)
  }
}

function keyOf(id: string): string {
  return `revoked:${id}`
}
