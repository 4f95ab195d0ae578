import { Counter, Family, type FamilyNumbers, Gauge, Histogram } from './family.ts'

/** What a family is called, and what it means. */
export interface Naming {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

/** The numbers of one process. */
export class Registry {
  readonly #families: Array<Family<Counter | Gauge | Histogram>> = []
  readonly #collectors: Array<() => void | Promise<void>> = []

  counter(naming: Naming & { readonly across?: FamilyNumbers['across'] }): Family<Counter> {
    return this.#add(new Family({ type: 'counter', across: 'sum', labels: [], ...naming }, () => new Counter()))
  }

  /** `across` says what the value of several processes is. */
  gauge(naming: Naming & { readonly across: FamilyNumbers['across'] }): Family<Gauge> {
    return this.#add(new Family({ type: 'gauge', labels: [], ...naming }, () => new Gauge()))
  }

  /** `bounds` are the upper bounds of its buckets, in seconds, growing. */
  histogram({ bounds, ...naming }: Naming & { readonly bounds: readonly number[] }): Family<Histogram> {
    return this.#add(new Family({ type: 'histogram', across: 'sum', bounds, labels: [], ...naming }, () => new Histogram(bounds)))
  }

  /** Is called before the numbers are read, to set those that nobody counts as they change. */
  beforeCollecting(collector: () => void | Promise<void>): void {
    this.#collectors.push(collector)
  }

  /** All numbers as they are now. */
  async collect(): Promise<readonly FamilyNumbers[]> {
    // One that fails leaves its numbers as they were, and the others theirs.
    await Promise.allSettled(this.#collectors.map(async collector => await collector()))
    return this.#families.map(family => family.numbers)
  }

  #add<Series extends Counter | Gauge | Histogram>(family: Family<Series>): Family<Series> {
    this.#families.push(family as unknown as Family<Counter | Gauge | Histogram>)
    return family
  }
}
