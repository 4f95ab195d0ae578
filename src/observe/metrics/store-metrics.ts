import { Outage } from '../../oauth/errors.ts'
import type { Store } from '../../stores/store.ts'
import { within } from '../../stores/within.ts'
import type { Gauge, Histogram } from './family.ts'
import type { Registry } from './registry.ts'

const bounds = [0.00001, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5]

/** The store, with every operation counted and timed, and asked whether it can be reached when somebody reads the numbers. */
export function measuredStore(store: Store, registry: Registry): Store {
  const measured = new MeasuredStore(store, registry)
  registry.beforeCollecting(async () => {
    // A store that hangs must not keep away the numbers that say so.
    await within(1_000, 'the store', measured.ping()).catch(() => measured.unreachable())
  })
  return measured
}

class MeasuredStore implements Store {
  readonly #store: Store
  readonly #durations: (operation: string, outcome: 'done' | 'unavailable' | 'failed') => Histogram
  readonly #reachable: Gauge

  constructor(store: Store, registry: Registry) {
    this.#store = store
    const durations = registry.histogram({
      name: 'cambist_store_operation_duration_seconds',
      help: 'How long operations of the store took.',
      labels: ['operation', 'outcome'],
      bounds,
    })
    this.#durations = (operation, outcome) => durations.of(operation, outcome)
    this.#reachable = registry
      .gauge({ name: 'cambist_store_reachable', help: '1 when the store answers, 0 when it does not.', across: 'min' })
      .of()
  }

  put(key: string, value: string, seconds: number): Promise<void> {
    return this.#measure('put', this.#store.put(key, value, seconds))
  }

  putIfAbsent(key: string, value: string, seconds: number): Promise<boolean> {
    return this.#measure('putIfAbsent', this.#store.putIfAbsent(key, value, seconds))
  }

  increment(key: string, seconds: number): Promise<number> {
    return this.#measure('increment', this.#store.increment(key, seconds))
  }

  get(key: string): Promise<string | undefined> {
    return this.#measure('get', this.#store.get(key))
  }

  take(key: string): Promise<string | undefined> {
    return this.#measure('take', this.#store.take(key))
  }

  delete(key: string): Promise<void> {
    return this.#measure('delete', this.#store.delete(key))
  }

  ping(): Promise<void> {
    return this.#measure('ping', this.#store.ping())
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  unreachable(): void {
    this.#reachable.value = 0
  }

  async #measure<Result>(operation: string, answer: Promise<Result>): Promise<Result> {
    const started = performance.now()
    try {
      const result = await answer
      this.#durations(operation, 'done').observe((performance.now() - started) / 1000)
      this.#reachable.value = 1
      return result
    } catch (error) {
      const unavailable = error instanceof Outage
      this.#durations(operation, unavailable ? 'unavailable' : 'failed').observe((performance.now() - started) / 1000)
      if (unavailable) this.#reachable.value = 0
      throw error
    }
  }
}
