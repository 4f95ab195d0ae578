import { Outage } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { KeyChoice, PublicKeys } from './public-keys.ts'

/** The keys of one inbound issuer. Answers without waiting where it can. */
export interface IssuerKeys {
  /** Throws, or rejects with, an `Outage` when the keys could not be had: never the token's fault. */
  find(algorithm: string, kid: string | undefined): KeyChoice | Promise<KeyChoice>
}

/** Keys as they were fetched. */
export interface FetchedKeys {
  readonly keys: PublicKeys
  /** Seconds for which the server says that they are good. */
  readonly maxAge: number
}

/** What a set of remote keys needs. */
export interface RemoteKeysOptions {
  readonly fetchKeys: () => Promise<FetchedKeys>
  readonly now: () => Instant
  /** Seconds beyond their age for which the last good keys serve while no new ones can be had (as RFC 5861 §4). */
  readonly maxStale: number
  /** Hears of each success. */
  readonly onSuccess?: (fetched: FetchedKeys) => void
  /** Hears of each failure. */
  readonly onFailure: (error: unknown) => void
}

const secondsBetweenTries = 10
const secondsBetweenUnknownKids = 60
const freshPart = 0.8

interface KeptKeys extends FetchedKeys {
  readonly fetchedAt: Instant
}

/**
 * Keys that are fetched on first use, refreshed in the background while they are used, and again when a token names a key that is not
 * there. There are no timers: what nobody uses is not fetched.
 */
export class RemoteKeys implements IssuerKeys {
  readonly #options: RemoteKeysOptions
  #kept: KeptKeys | undefined
  #underWay: Promise<boolean> | undefined
  #failing = false
  #nextTry: Instant = 0
  #nextUnknownKid: Instant = 0

  constructor(options: RemoteKeysOptions) {
    this.#options = options
  }

  find(algorithm: string, kid: string | undefined): KeyChoice | Promise<KeyChoice> {
    const kept = this.#kept
    if (kept === undefined) return this.#findAfterRefresh(algorithm, kid)
    const age = this.#options.now() - kept.fetchedAt
    if (age >= kept.maxAge * freshPart) {
      if (age >= kept.maxAge && !this.#failing) return this.#findAfterRefresh(algorithm, kid)
      if (age >= kept.maxAge + this.#options.maxStale) return this.#findAfterRefresh(algorithm, kid)
      void this.#refresh()
    }
    const choice = kept.keys.find(algorithm, kid)
    return choice === 'unknown' ? this.#findUnknown(algorithm, kid) : choice
  }

  async #findAfterRefresh(algorithm: string, kid: string | undefined): Promise<KeyChoice> {
    await this.#refresh()
    return this.#usable().find(algorithm, kid)
  }

  // The issuer may have rotated its keys. Anybody can make up a kid, so that they are asked for once a minute at most.
  async #findUnknown(algorithm: string, kid: string | undefined): Promise<KeyChoice> {
    if (this.#options.now() >= this.#nextUnknownKid) {
      this.#nextUnknownKid = this.#options.now() + secondsBetweenUnknownKids
      await this.#refresh()
    } else await this.#underWay
    const choice = this.#usable().find(algorithm, kid)
    // Whether the issuer has such a key could not be found out.
    if (choice === 'unknown' && this.#failing) throw unreachable()
    return choice
  }

  #usable(): PublicKeys {
    const kept = this.#kept
    if (kept === undefined) throw unreachable()
    const age = this.#options.now() - kept.fetchedAt
    if (age >= kept.maxAge + this.#options.maxStale) throw unreachable()
    return kept.keys
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
      const fetched = await this.#options.fetchKeys()
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

function unreachable(): Outage {
  return new Outage('the keys of the issuer of the token cannot be fetched now', undefined, secondsBetweenTries)
}
