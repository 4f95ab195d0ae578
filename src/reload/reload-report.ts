import type { Instant } from '../outside.ts'

/** What became of the attempts to load the configuration anew: for `/readyz` and metrics. It says nothing of what stands in the files. */
export interface ReloadFacts {
  /** When the configuration that serves was loaded. */
  readonly loadedAt: Instant
  /** How many reloads came into use since the start, and how many failed. */
  readonly succeeded: number
  readonly failed: number
  /** The newest attempt, where it failed: the configuration before it serves on. */
  readonly failure: { readonly problems: number; readonly at: Instant } | undefined
  /** Members of `server.json` whose change waits for a restart. */
  readonly needsRestart: readonly string[]
}

/** The facts as they are now. */
export class ReloadReport {
  #facts: ReloadFacts
  readonly #now: () => Instant

  constructor(now: () => Instant) {
    this.#now = now
    this.#facts = { loadedAt: now(), succeeded: 0, failed: 0, failure: undefined, needsRestart: [] }
  }

  get facts(): ReloadFacts {
    return this.#facts
  }

  /** A new configuration serves. */
  reloaded(needsRestart: readonly string[]): void {
    const { succeeded } = this.#facts
    this.#facts = { ...this.#facts, loadedAt: this.#now(), succeeded: succeeded + 1, failure: undefined, needsRestart }
  }

  /** What was tried cannot be used. */
  failed(problems: number): void {
    this.#facts = { ...this.#facts, failed: this.#facts.failed + 1, failure: { problems, at: this.#now() } }
  }

  /** Takes over what the first process has found out. */
  hear(facts: ReloadFacts): void {
    this.#facts = facts
  }
}
