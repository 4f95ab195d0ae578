import type { Warning } from '../config/problems.ts'
import type { Reading } from '../config/snapshot.ts'
import type { ReloadFacts } from './reload-report.ts'

/** Where configurations are served: in this process, or in its workers. */
export interface Site {
  /** Builds a configuration beside the one that serves. Throws a `ConfigError` with every problem. */
  prepare(reading: Reading): Promise<Prepared>
  /** Tells whoever answers `/readyz`. */
  tell(facts: ReloadFacts): void
}

/** A configuration that is built and not in use yet. */
export interface Prepared {
  readonly version: string
  readonly warnings: readonly Warning[]
  /** From now on every request begins on it. */
  use(): void
  /** It is not wanted after all. */
  discard(): void
}
