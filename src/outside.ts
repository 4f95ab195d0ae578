import type { Logger } from 'pino'
import type { FetchListeners } from './keys/fetch-listener.ts'
import type { GuardedFetch } from './keys/guarded-fetch.ts'
import type { Store } from './stores/store.ts'

/** Seconds since 1970, as JWTs count them; may have a fraction. */
export type Instant = number

/** Everything of the outside world that the server uses. `main.ts` makes it; tests bring their own. */
export interface Outside {
  /** Asks other servers, with no way into a private network. */
  readonly fetch: GuardedFetch
  /**
   * Asks other servers to do something, such as to issue credentials. Undefined where nothing may happen outside: whatever would need
   * it is then only described (`cambist explain`, `cambist test`).
   */
  readonly effects: GuardedFetch | undefined
  readonly now: () => Instant
  readonly store: Store
  readonly log: Logger
  /** Hears of fetches that are made again and again; for `/metrics`. */
  readonly fetches?: FetchListeners | undefined
  /** Hears of each header about a caller that is not believed; for `/metrics`. */
  readonly onNotBelieved?: ((header: string) => void) | undefined
  /** Cryptographically strong random bytes. */
  readonly random: (bytes: number) => Buffer
}
