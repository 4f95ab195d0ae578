import type { AuditEntry, RecordedLookup } from '../audit-entry.ts'
import type { ExchangeEnding, ExchangeListener } from '../record.ts'
import { steps } from '../step-times.ts'
import type { Counter, Family, Histogram } from './family.ts'
import type { Registry } from './registry.ts'

const exchangeBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const stepBounds = [0.00001, 0.000025, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5]

/** Counts exchanges and measures their steps. Whatever a request only claims to be never becomes a label. */
export class ExchangeMetrics implements ExchangeListener {
  readonly #exchanges: Family<Counter>
  readonly #wouldRefuse: Family<Counter>
  readonly #lookups: Family<Counter>
  readonly #lookupDurations: Family<Histogram>
  readonly #durations: Family<Histogram>
  readonly #steps: readonly Histogram[]

  constructor(registry: Registry) {
    this.#exchanges = registry.counter({
      name: 'cambist_exchanges_total',
      help: 'Requests to the token endpoint and by WS-Trust. client is empty until the client is authenticated, policy and target until they are selected.',
      labels: ['client', 'policy', 'target', 'outcome', 'reason'],
    })
    this.#durations = registry.histogram({
      name: 'cambist_exchange_duration_seconds',
      help: 'How long requests to the token endpoint and by WS-Trust took.',
      labels: ['outcome'],
      bounds: exchangeBounds,
    })
    const durations = registry.histogram({
      name: 'cambist_exchange_step_duration_seconds',
      help: 'How long the steps of exchanges took, also the one that refused.',
      labels: ['step'],
      bounds: stepBounds,
    })
    this.#steps = steps.map(step => durations.of(step))
    this.#lookups = registry.counter({
      name: 'cambist_lookups_total',
      help: 'Lookups of exchanges. cached is true where the answer was remembered.',
      labels: ['store', 'outcome', 'cached'],
    })
    this.#lookupDurations = registry.histogram({
      name: 'cambist_lookup_duration_seconds',
      help: 'How long lookups took whose answer was not remembered.',
      labels: ['store'],
      bounds: stepBounds,
    })
    this.#wouldRefuse = registry.counter({
      name: 'cambist_would_refuse_total',
      help: 'What settings with "mode": "audit" would have refused.',
      labels: ['setting', 'reason'],
    })
  }

  ended({ facts, times }: AuditEntry, { outcome, reason, milliseconds }: ExchangeEnding): void {
    const policy = facts.policy ?? (facts.connection === undefined ? '' : `idp-connections/${facts.connection}`)
    this.#exchanges.of(facts.client ?? '', policy, facts.target ?? '', outcome, reason).add()
    this.#durations.of(outcome).observe(milliseconds / 1000)
    this.#observeSteps(times.started, times.ends, milliseconds)
    for (const lookup of facts.lookups ?? []) this.#observeLookup(lookup)
    for (const { setting, reason: why } of facts.wouldRefuse ?? []) this.#wouldRefuse.of(setting ?? '', why).add()
  }

  #observeLookup({ store, outcome, cached, ms }: RecordedLookup): void {
    this.#lookups.of(store, outcome, String(cached === true)).add()
    if (cached !== true) this.#lookupDurations.of(store).observe(ms / 1000)
  }

  #observeSteps(started: number, ends: readonly number[], milliseconds: number): void {
    let from = started
    for (let index = 0; index < ends.length; index++) {
      const to = ends[index] as number
      this.#steps[index]?.observe((to - from) / 1000)
      from = to
    }
    // The step that refused, or could not be done.
    this.#steps[ends.length]?.observe(Math.max(0, started + milliseconds - from) / 1000)
  }
}
