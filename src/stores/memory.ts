import { Outage } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { Store } from './store.ts'

/** A store that lives and dies with this process: for tests and for trying things out. It keeps everything in `entries`. */
export function memoryStore(now: () => Instant, entries = new Map<string, MemoryEntry>()): Store {
  return new MemoryStore(now, entries)
}

/** A value in memory and when it ends. */
export interface MemoryEntry {
  value: string
  readonly expiresAt: Instant
}

class MemoryStore implements Store {
  readonly #now: () => Instant
  readonly #entries: Map<string, MemoryEntry>
  #walk: Iterator<[string, MemoryEntry]>
  #closed = false

  constructor(now: () => Instant, entries: Map<string, MemoryEntry>) {
    this.#now = now
    this.#entries = entries
    this.#walk = entries.entries()
  }

  async put(key: string, value: string, seconds: number): Promise<void> {
    this.#set(key, value, seconds)
  }

  async putIfAbsent(key: string, value: string, seconds: number): Promise<boolean> {
    if (this.#unexpired(key) !== undefined) return false
    this.#set(key, value, seconds)
    return true
  }

  async increment(key: string, seconds: number): Promise<number> {
    const counter = this.#unexpired(key)
    const count = Number(counter?.value ?? 0) + 1
    if (counter === undefined) this.#set(key, String(count), seconds)
    else counter.value = String(count)
    return count
  }

  async get(key: string): Promise<string | undefined> {
    return this.#unexpired(key)?.value
  }

  async take(key: string): Promise<string | undefined> {
    const entry = this.#unexpired(key)
    this.#entries.delete(key)
    return entry?.value
  }

  async delete(key: string): Promise<void> {
    this.#assertOpen()
    this.#entries.delete(key)
  }

  async ping(): Promise<void> {
    this.#assertOpen()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#entries.clear()
  }

  #set(key: string, value: string, seconds: number): void {
    this.#assertOpen()
    this.#entries.set(key, { value, expiresAt: this.#now() + seconds })
    this.#forgetExpired()
  }

  #unexpired(key: string): MemoryEntry | undefined {
    this.#assertOpen()
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.expiresAt > this.#now() ? entry : undefined
  }

  // Each write looks at two entries, round and round: what has expired never outgrows what is alive, and no request pays for a full walk.
  #forgetExpired(): void {
    for (let looked = 0; looked < 2; looked++) {
      const next = this.#walk.next()
      if (next.done) this.#walk = this.#entries.entries()
      else if (next.value[1].expiresAt <= this.#now()) this.#entries.delete(next.value[0])
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new Outage('the store is closed')
  }
}
