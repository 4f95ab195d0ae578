import { AsyncLocalStorage } from 'node:async_hooks'
import type { Store } from '../stores/store.ts'

/** What one explanation has written; undefined: deleted. */
type Written = Map<string, string | undefined>

/**
 * A store that reads what another one has and keeps what is written to itself, separately for each explanation and only for its
 * duration: explaining uses nothing up, issues nothing and counts nothing. What would fail because the other one is down, fails.
 */
export class HarmlessStore implements Store {
  readonly #real: Store
  readonly #explanations = new AsyncLocalStorage<Written>()
  #underWay = 0

  constructor(real: Store) {
    this.#real = real
  }

  /** Runs one explanation. What it writes is there for itself, and gone after it. */
  async during<Result>(explain: () => Promise<Result>): Promise<Result> {
    this.#underWay++
    try {
      return await this.#explanations.run(new Map(), explain)
    } finally {
      // Or Node would watch every promise of this process from now on, once more for each configuration in which something was explained.
      if (--this.#underWay === 0) this.#explanations.disable()
    }
  }

  async put(key: string, value: string): Promise<void> {
    await this.#real.ping()
    this.#written.set(key, value)
  }

  async putIfAbsent(key: string, value: string): Promise<boolean> {
    if ((await this.get(key)) !== undefined) return false
    this.#written.set(key, value)
    return true
  }

  async increment(key: string): Promise<number> {
    const count = Number((await this.get(key)) ?? 0) + 1
    this.#written.set(key, String(count))
    return count
  }

  async get(key: string): Promise<string | undefined> {
    const written = this.#written
    return written.has(key) ? written.get(key) : await this.#real.get(key)
  }

  async take(key: string): Promise<string | undefined> {
    const value = await this.get(key)
    this.#written.set(key, undefined)
    return value
  }

  async delete(key: string): Promise<void> {
    await this.#real.ping()
    this.#written.set(key, undefined)
  }

  ping(): Promise<void> {
    return this.#real.ping()
  }

  /** The store below is closed by whoever opened it. */
  async close(): Promise<void> {}

  get #written(): Written {
    const written = this.#explanations.getStore()
    if (written === undefined) throw new Error('outside of an explanation, nothing is read or written here')
    return written
  }
}
