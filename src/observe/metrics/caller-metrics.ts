import type { Counter, Family } from './family.ts'
import type { Registry } from './registry.ts'

/** Counts what requests say about their callers and is not believed. */
export class CallerMetrics {
  readonly #headers: Family<Counter>

  constructor(registry: Registry) {
    this.#headers = registry.counter({
      name: 'cambist_ignored_headers_total',
      help: 'Headers about the caller (its address, its certificate) from somebody whose word is not believed.',
      labels: ['header'],
    })
  }

  /** One header was taken away. Its name is one of a closed list, or stands in the configuration. */
  ignored(header: string): void {
    this.#headers.of(header).add()
  }
}
