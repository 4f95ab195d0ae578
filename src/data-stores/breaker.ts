import type { Logger } from 'pino'
import { Outage } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import { UnfitAnswer } from './unfit-answer.ts'

/** `closed`: it is asked. `open`: it is not, since it has failed again and again. `half-open`: one question tells whether it is back. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** When a store is left alone. */
export interface BreakerSettings {
  /** After so many failures, one after the other. */
  readonly failures: number
  /** For so many seconds. */
  readonly pause: number
}

/** Keeps questions away from a store that is down: nobody waits for what will not come, and it may recover in peace. */
export class Breaker {
  readonly #settings: BreakerSettings
  #failures = 0
  #openUntil: Instant = 0
  #trial = false

  constructor(settings: BreakerSettings) {
    this.#settings = settings
  }

  get state(): BreakerState {
    if (this.#failures < this.#settings.failures) return 'closed'
    return this.#trial ? 'half-open' : 'open'
  }

  /** Asks, or throws an `Outage` at once. `about` names the store and hears of changes. */
  async run<Result>(
    ask: () => Promise<Result>,
    about: { readonly store: string; readonly now: () => Instant; readonly log: Logger },
  ): Promise<Result> {
    const isTrial = this.#enter(about.store, about.now())
    try {
      const result = await ask()
      this.#answered(about)
      return result
    } catch (error) {
      // It has answered. Else whoever has an odd entry could keep everybody else from theirs.
      if (error instanceof UnfitAnswer) this.#answered(about)
      else if (error instanceof Outage) this.#failed(isTrial, error, about)
      throw error
    } finally {
      if (isTrial) this.#trial = false
    }
  }

  /** Whether this question is the one that tells whether the store is back. */
  #enter(store: string, now: Instant): boolean {
    const state = this.state
    if (state === 'closed') return false
    if (state === 'half-open' || now < this.#openUntil)
      throw new Outage(`the data store "${store}" is not asked, since it has failed ${this.#settings.failures} times in a row`)
    this.#trial = true
    return true
  }

  #answered({ store, log }: Parameters<Breaker['run']>[1]): void {
    if (this.state !== 'closed') log.info({ dataStore: store }, 'the data store answers again')
    this.#failures = 0
  }

  #failed(wasTrial: boolean, { message }: Outage, { store, now, log }: Parameters<Breaker['run']>[1]): void {
    this.#failures++
    if (!wasTrial && this.#failures !== this.#settings.failures) return
    this.#openUntil = now() + this.#settings.pause
    if (!wasTrial) log.warn({ dataStore: store, failures: this.#failures, outage: message }, 'the data store is left alone for a while')
  }
}
