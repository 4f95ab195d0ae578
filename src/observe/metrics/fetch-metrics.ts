import type { FetchedThing, FetchListener, FetchListeners } from '../../keys/fetch-listener.ts'
import type { Instant } from '../../outside.ts'
import type { Counter, Family, Gauge } from './family.ts'
import type { Registry } from './registry.ts'

/** Counts fetches of keys and metadata, and knows which of them fail. */
export class FetchMetrics implements FetchListeners {
  readonly #now: () => Instant
  readonly #fetches: Family<Counter>
  readonly #lastSuccess: Family<Gauge>
  readonly #failing: Family<Gauge>
  /** How many fetch the same: two processors of one issuer, or one whose settings a reload has changed. */
  readonly #users = new Map<string, number>()

  constructor(registry: Registry, now: () => Instant) {
    const labels = ['kind', 'issuer', 'address']
    this.#now = now
    this.#fetches = registry.counter({
      name: 'cambist_fetches_total',
      help: 'Fetches of the keys (JWKS) and metadata of issuers and clients.',
      labels: [...labels, 'outcome'],
    })
    this.#lastSuccess = registry.gauge({
      name: 'cambist_fetch_last_success_timestamp_seconds',
      help: 'When keys or metadata were fetched last. What nobody uses is not fetched.',
      labels,
      across: 'max',
    })
    this.#failing = registry.gauge({
      name: 'cambist_fetch_failing',
      help: '1 when the last fetch failed: the last good keys serve until they are too old.',
      labels,
      across: 'max',
    })
  }

  /** A listener for one thing. */
  of({ kind, issuer, address }: FetchedThing): FetchListener {
    const labels = [kind, issuer, withoutQuery(address)] as const
    const name = JSON.stringify(labels)
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1)
    return {
      succeeded: () => {
        this.#fetches.of(...labels, 'success').add()
        this.#lastSuccess.of(...labels).value = this.#now()
        this.#failing.of(...labels).value = 0
      },
      failed: () => {
        this.#fetches.of(...labels, 'failure').add()
        this.#failing.of(...labels).value = 1
      },
      forgotten: () => {
        const users = (this.#users.get(name) ?? 1) - 1
        this.#users.set(name, users)
        if (users > 0) return
        this.#users.delete(name)
        this.#lastSuccess.forget(...labels)
        this.#failing.forget(...labels)
      },
    }
  }
}

// Some servers want a key of theirs in the query.
function withoutQuery(address: string): string {
  return address.split('?', 1)[0] ?? ''
}
