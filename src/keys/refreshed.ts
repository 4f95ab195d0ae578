import { Outage } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'

/** Something as it was fetched. */
export interface Fetched<Value> {
  readonly value: Value
  /** Seconds for which whoever has made it says that it is good. */
  readonly maxAge: number
  /** When it stops to be good, whatever else is configured (`validUntil` of SAML metadata). */
  readonly goodUntil?: Instant
}

/** What is needed to keep something fresh. */
export interface RefreshedOptions<Value> {
  readonly fetch: () => Promise<Fetched<Value>>
  readonly now: () => Instant
  /** Seconds beyond its age for which the last good value serves while no new one can be had (as RFC 5861 §4). */
  readonly maxStale: number
  /** What an exchange is told when there is none. */
  readonly outage: string
  readonly onSuccess?: (fetched: Fetched<Value>) => void
  readonly onFailure: (error: unknown) => void
  readonly onClose?: () => void
}

const secondsBetweenTries = 10
const secondsBetweenSearches = 60
const freshPart = 0.8

/**
 * A value of somebody else's server, fetched on first use, refreshed in the background while it is used, and again when something is
 * missing in it. There are no timers: what nobody uses is not fetched.
 */
export class Refreshed<Value> {
  readonly #options: RefreshedOptions<Value>
  #kept: (Fetched<Value> & { readonly fetchedAt: Instant }) | undefined
  #underWay: Promise<boolean> | undefined
  #failing = false
  #nextTry: Instant = 0
  #nextSearch: Instant = 0

  constructor(options: RefreshedOptions<Value>) {
    this.#options = options
  }

  /** Whether the last fetch failed, so that what is missing may be there all the same. */
  get failing(): boolean {
    return this.#failing
  }

  /** Nobody will ask for it any more. */
  close(): void {
    this.#options.onClose?.()
  }

  /** The value, without waiting where it can. Throws, or rejects with, an `Outage` when none can be had. */
  current(): Value | Promise<Value> {
    const kept = this.#kept
    if (kept === undefined) return this.#afterRefresh()
    const age = this.#options.now() - kept.fetchedAt
    if (age >= kept.maxAge * freshPart) {
      if ((age >= kept.maxAge && !this.#failing) || !this.#isUsable(kept)) return this.#afterRefresh()
      void this.#refresh()
    }
    return this.#isUsable(kept) ? kept.value : this.#afterRefresh()
  }

  /** The value, fetched again because something was missing in it. Anybody can ask for what does not exist, so once a minute at most. */
  async searched(): Promise<Value> {
    if (this.#options.now() >= this.#nextSearch) {
      this.#nextSearch = this.#options.now() + secondsBetweenSearches
      await this.#refresh()
    } else await this.#underWay
    return this.#usable()
  }

  async #afterRefresh(): Promise<Value> {
    await this.#refresh()
    return this.#usable()
  }

  #usable(): Value {
    if (this.#kept === undefined || !this.#isUsable(this.#kept)) throw new Outage(this.#options.outage, undefined, secondsBetweenTries)
    return this.#kept.value
  }

  #isUsable({ fetchedAt, maxAge, goodUntil = Number.POSITIVE_INFINITY }: Fetched<Value> & { readonly fetchedAt: Instant }): boolean {
    const now = this.#options.now()
    return now < fetchedAt + maxAge + this.#options.maxStale && now < goodUntil
  }

  /** One fetch at a time, and a pause after one that failed. Never rejects. */
  #refresh(): Promise<boolean> {
    if (this.#underWay !== undefined) return this.#underWay
    if (this.#failing && this.#options.now() < this.#nextTry) return Promise.resolve(false)
    this.#underWay = this.#fetch().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #fetch(): Promise<boolean> {
    try {
      const fetched = await this.#options.fetch()
      this.#kept = { ...fetched, fetchedAt: this.#options.now() }
      this.#failing = false
      this.#options.onSuccess?.(fetched)
    } catch (error) {
      this.#failing = true
      this.#nextTry = this.#options.now() + secondsBetweenTries
      this.#options.onFailure(error)
    }
    return !this.#failing
  }
}
