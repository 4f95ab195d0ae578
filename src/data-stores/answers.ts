import type { Instant } from '../outside.ts'
import type { Row } from './data-store.ts'

/** How long answers are remembered. */
export interface Remembering {
  /** Seconds that what was found is good. */
  readonly ttl: number
  /** Seconds for which nothing is found where nothing was found. */
  readonly missing: number
  /** How many answers are remembered; the one that was not used for longest makes room. */
  readonly entries: number
  /** How many bytes they may have together, about. */
  readonly maxBytes: number
}

/** What a store found, and whether it had to be asked. */
export interface Answer {
  readonly rows: readonly Row[]
  readonly cached: boolean
  /** Whether somebody else was asking the same already. */
  readonly joined?: boolean
}

interface Remembered {
  readonly rows: readonly Row[]
  readonly until: Instant
  readonly bytes: number
}

// Longer ones would let requests fill the memory with what they say.
const longestKey = 2_048

/** The answers to one lookup: those that are remembered, and those that are under way, which others who ask the same wait for too. */
export class Answers {
  readonly #remembering: Remembering | undefined
  readonly #remembered = new Map<string, Remembered>()
  readonly #underWay = new Map<string, Promise<readonly Row[]>>()
  #bytes = 0

  constructor(remembering: Remembering | undefined) {
    this.#remembering = remembering
  }

  /** How many are remembered. */
  get size(): number {
    return this.#remembered.size
  }

  /** The answer for these values, which `ask` gives when nobody has it. What fails is not remembered. */
  async of(key: string, now: () => Instant, ask: () => Promise<readonly Row[]>): Promise<Answer> {
    const rows = this.#recall(key, now())
    if (rows !== undefined) return { rows, cached: true }
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return { rows: await underWay, cached: false, joined: true }
    return { rows: await this.#begin(key, now, ask), cached: false }
  }

  async #begin(key: string, now: () => Instant, ask: () => Promise<readonly Row[]>): Promise<readonly Row[]> {
    const asked = ask()
    this.#underWay.set(key, asked)
    try {
      const rows = await asked
      this.#remember(key, rows, now())
      return rows
    } finally {
      this.#underWay.delete(key)
    }
  }

  #recall(key: string, now: Instant): readonly Row[] | undefined {
    const found = this.#take(key)
    if (found === undefined || found.until <= now) return undefined
    this.#put(key, found)
    return found.rows
  }

  #remember(key: string, rows: readonly Row[], now: Instant): void {
    if (this.#remembering === undefined || key.length > longestKey) return
    const { ttl, missing, entries, maxBytes } = this.#remembering
    const seconds = rows.length === 0 ? missing : ttl
    if (seconds === 0) return
    const bytes = key.length + JSON.stringify(rows).length
    // It would drive all others out, and then go itself.
    if (bytes > maxBytes) return
    this.#put(key, { rows, until: now + seconds, bytes })
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= entries && this.#bytes <= maxBytes) break
      this.#take(oldest)
    }
  }

  // Those used last are at the end.
  #put(key: string, remembered: Remembered): void {
    this.#take(key)
    this.#remembered.set(key, remembered)
    this.#bytes += remembered.bytes
  }

  #take(key: string): Remembered | undefined {
    const found = this.#remembered.get(key)
    if (found === undefined) return undefined
    this.#remembered.delete(key)
    this.#bytes -= found.bytes
    return found
  }
}
