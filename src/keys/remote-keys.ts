import { Outage } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { KeyChoice, PublicKeys } from './public-keys.ts'
import { Refreshed } from './refreshed.ts'

/** The keys of one inbound issuer. Answers without waiting where it can. */
export interface IssuerKeys {
  /** Throws, or rejects with, an `Outage` when the keys could not be had: never the token's fault. */
  find(algorithm: string, kid: string | undefined): KeyChoice | Promise<KeyChoice>
}

/** Keys as they were fetched. */
export interface FetchedKeys {
  readonly keys: PublicKeys
  /** Seconds for which the server says that they are good. */
  readonly maxAge: number
}

/** What a set of remote keys needs. */
export interface RemoteKeysOptions {
  readonly fetchKeys: () => Promise<FetchedKeys>
  readonly now: () => Instant
  /** Seconds beyond their age for which the last good keys serve while no new ones can be had (as RFC 5861 §4). */
  readonly maxStale: number
  /** Hears of each success. */
  readonly onSuccess?: (fetched: FetchedKeys) => void
  /** Hears of each failure. */
  readonly onFailure: (error: unknown) => void
  readonly onClose?: () => void
}

const unreachable = 'the keys of the issuer of the token cannot be fetched now'

/** The keys of an issuer that has them on a server: fetched on first use, kept fresh, and fetched again when a token names a key that is not there. */
export class RemoteKeys implements IssuerKeys {
  readonly #keys: Refreshed<PublicKeys>

  constructor({ fetchKeys, onSuccess, ...options }: RemoteKeysOptions) {
    this.#keys = new Refreshed({
      ...options,
      outage: unreachable,
      async fetch() {
        const fetched = await fetchKeys()
        onSuccess?.(fetched)
        return { value: fetched.keys, maxAge: fetched.maxAge }
      },
    })
  }

  /** Nobody will ask for them any more. */
  close(): void {
    this.#keys.close()
  }

  find(algorithm: string, kid: string | undefined): KeyChoice | Promise<KeyChoice> {
    const keys = this.#keys.current()
    if (keys instanceof Promise) return keys.then(fetched => fetched.find(algorithm, kid))
    const choice = keys.find(algorithm, kid)
    return choice === 'unknown' ? this.#findUnknown(algorithm, kid) : choice
  }

  // The issuer may have rotated its keys.
  async #findUnknown(algorithm: string, kid: string | undefined): Promise<KeyChoice> {
    const choice = (await this.#keys.searched()).find(algorithm, kid)
    // Whether the issuer has such a key could not be found out.
    if (choice === 'unknown' && this.#keys.failing) throw new Outage(unreachable, undefined, 10)
    return choice
  }
}
