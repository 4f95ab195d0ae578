import { timingSafeEqual } from 'node:crypto'
import { OAuthError } from '../oauth/errors.ts'
import { deriveKey, type ScryptHash } from './secrets.ts'

/** A secret, and a hash that it may be the one of. */
export interface ScryptComparison {
  readonly hash: ScryptHash
  readonly secret: string
}

/** How many attempts run at once, and how many wait. */
export interface ScryptLimits {
  readonly atOnce: number
  readonly waiting: number
}

const usualLimits: ScryptLimits = { atOnce: 2, waiting: 16 }

/** Compares secrets with slow hashes, a few attempts at a time: whoever sends wrong secrets must not get all of the processor. One per process. */
export class ScryptRuns {
  readonly #limits: ScryptLimits
  readonly #waiting: Array<() => void> = []
  #running = 0
  #lastMilliseconds = 50

  constructor(limits: ScryptLimits = usualLimits) {
    this.#limits = limits
  }

  /** Refuses where one more attempt would neither run nor wait. */
  refuseWhenFull(): void {
    const full = this.#running >= this.#limits.atOnce && this.#waiting.length >= this.#limits.waiting
    if (full) throw new OAuthError('authentication-busy', 'too many clients are authenticating at once; try again later', { retryAfter: 2 })
  }

  /** The first comparison that fits. All of them are one attempt, and run one after the other. */
  async firstThatFits<Comparison extends ScryptComparison>(comparisons: readonly Comparison[]): Promise<Comparison | undefined> {
    await this.#enter()
    try {
      for (const comparison of comparisons) {
        if (await this.#fits(comparison)) return comparison
      }
      return undefined
    } finally {
      this.#leave()
    }
  }

  /** Takes as long as a run and costs nothing. Real work for clients that do not exist would hand the queue to whoever makes up names. */
  imitate(): Promise<void> {
    return new Promise(resolve => setTimeout(resolve, this.#lastMilliseconds))
  }

  async #fits({ hash, secret }: ScryptComparison): Promise<boolean> {
    const started = performance.now()
    const key = await deriveKey(secret, hash.salt, hash.cost, hash.key.length)
    this.#lastMilliseconds = performance.now() - started
    return timingSafeEqual(key, hash.key)
  }

  #enter(): Promise<void> | undefined {
    this.refuseWhenFull()
    if (this.#running < this.#limits.atOnce) {
      this.#running++
      return undefined
    }
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  // Whoever leaves hands the place over, so that nobody who comes later slips in before those who wait.
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }
}
