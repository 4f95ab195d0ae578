import type { Snapshot } from '../config/snapshot.ts'
import type { ReloadFacts } from '../reload/reload-report.ts'

/** What the first process says to a worker. Configurations have numbers, because one may come again. */
export type ToWorker =
  /** The answer to `ask`: use this one. `foundation` is `server.json` as it was at the start: for what needs a restart. */
  | {
      readonly kind: 'take'
      readonly number: number
      readonly snapshot: Snapshot
      readonly foundation: Snapshot
      readonly facts: ReloadFacts
      readonly tickets: Uint8Array
    }
  | { readonly kind: 'prepare'; readonly number: number; readonly snapshot: Snapshot }
  | { readonly kind: 'use'; readonly number: number }
  | { readonly kind: 'discard'; readonly number: number }
  | { readonly kind: 'report'; readonly facts: ReloadFacts }
  /** The keys by which TLS sessions are resumed, from now on. */
  | { readonly kind: 'tickets'; readonly keys: Uint8Array }
  | { readonly kind: 'stop' }

/** What a worker says to the first process. */
export type ToFirst =
  | { readonly kind: 'ask' }
  | { readonly kind: 'prepared'; readonly number: number }
  | { readonly kind: 'unable'; readonly number: number; readonly why: string }
