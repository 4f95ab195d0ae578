import type { Logger } from 'pino'
import type { Store } from './stores/store.ts'

/** Seconds since 1970, as JWTs count them; may have a fraction. */
export type Instant = number

/** Everything of the outside world that the server uses. `main.ts` makes it; tests bring their own. */
export interface Outside {
  /** Fetches from other servers. Guarded: see `keys/guarded-fetch.ts`. */
  readonly fetch: typeof fetch
  readonly now: () => Instant
  readonly store: Store
  readonly log: Logger
  /** Cryptographically strong random bytes. */
  readonly random: (bytes: number) => Buffer
}
