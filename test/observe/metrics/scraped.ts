import { expect } from 'chai'

/** What `/metrics` said, by series. */
export class Scraped {
  readonly #values = new Map<string, number>()
  /** The type of each family. */
  readonly types = new Map<string, string>()
  readonly text: string

  constructor(text: string) {
    this.text = text
    for (const line of text.split('\n').filter(each => each !== '')) {
      const [, family, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
      if (family !== undefined && type !== undefined) this.types.set(family, type)
      if (line.startsWith('#')) continue
      const at = line.lastIndexOf(' ')
      const name = line.slice(0, at)
      expect(this.#values.has(name), `${name} stands there twice`).to.equal(false)
      this.#values.set(name, Number(line.slice(at + 1)))
    }
  }

  /** The value of the series `name{label="value",…}`, written as the server writes it; undefined when it is not there. */
  value(series: string): number | undefined {
    return this.#values.get(series)
  }

  /** All series of a family with their values. */
  family(name: string): Record<string, number> {
    return Object.fromEntries([...this.#values].filter(([series]) => series === name || series.startsWith(`${name}{`)))
  }

  /** The names of all families. */
  get names(): string[] {
    return [...this.types.keys()]
  }
}
