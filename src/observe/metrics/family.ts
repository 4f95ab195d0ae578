/** The numbers of one family as plain data, which can be sent to another process. */
export interface FamilyNumbers extends Shape {
  readonly series: ReadonlyArray<{ readonly labels: readonly string[]; readonly numbers: readonly number[] }>
}

interface Shape {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** The names of its labels. */
  readonly labels: readonly string[]
  /** What the numbers of several processes are together. */
  readonly across: 'sum' | 'max' | 'min'
  /** The upper bounds of a histogram's buckets. */
  readonly bounds?: readonly number[]
}

type Tree<Leaf> = Map<string, Tree<Leaf> | Leaf>

/** All series of one name. Those that have been found once are found again without making a text. */
export class Family<Series extends { readonly numbers: readonly number[] }> {
  readonly #shape: Shape
  readonly #make: () => Series
  #tree: Tree<Series> = new Map()
  #series: Array<{ readonly labels: readonly string[]; readonly series: Series }> = []

  constructor(shape: Shape, make: () => Series) {
    this.#shape = shape
    this.#make = make
  }

  /** The series with these values of its labels, in the order of their names. Only what is configured, or on a closed list, may be a value. */
  of(...labels: readonly string[]): Series {
    let node: Tree<Series> | Series = this.#tree
    for (const label of labels) {
      const next: Tree<Series> | Series | undefined = (node as Tree<Series>).get(label)
      if (next === undefined) return this.#add(labels)
      node = next
    }
    return labels.length === 0 ? this.#only() : (node as Series)
  }

  /** Forgets the series with these values. */
  forget(...labels: readonly string[]): void {
    this.#series = this.#series.filter(({ labels: others }) => others.some((label, index) => label !== labels[index]))
    this.#tree = new Map()
    for (const { labels: others, series } of this.#series) this.#plant(others, series)
  }

  /** Forgets all series. */
  clear(): void {
    this.#tree = new Map()
    this.#series = []
  }

  get numbers(): FamilyNumbers {
    return { ...this.#shape, series: this.#series.map(({ labels, series }) => ({ labels, numbers: series.numbers })) }
  }

  #only(): Series {
    return this.#series[0]?.series ?? this.#add([])
  }

  #add(labels: readonly string[]): Series {
    const series = this.#make()
    this.#series.push({ labels, series })
    this.#plant(labels, series)
    return series
  }

  #plant(labels: readonly string[], series: Series): void {
    let node = this.#tree
    for (const [index, label] of labels.entries()) {
      if (index === labels.length - 1) node.set(label, series)
      else {
        const next = (node.get(label) as Tree<Series> | undefined) ?? new Map()
        node.set(label, next)
        node = next
      }
    }
  }
}

/** A number that only grows. */
export class Counter {
  #value = 0

  add(amount = 1): void {
    this.#value += amount
  }

  /** Takes over what somebody else has counted. */
  set(value: number): void {
    this.#value = value
  }

  get numbers(): readonly number[] {
    return [this.#value]
  }
}

/** A number that is what it is now. */
export class Gauge {
  value = 0

  get numbers(): readonly number[] {
    return [this.value]
  }
}

/** How often a value fell into each bucket. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#sum += value
  }

  /** The count of each bucket, the last one of what is above all bounds; then the sum. */
  get numbers(): readonly number[] {
    return [...this.#counts, this.#sum]
  }
}
