import type { Instant, Outside } from '../outside.ts'

const randomBytes = 24
const nonceForm = /^([0-9]{1,12})\.[A-Za-z0-9_-]{32}$/

/**
 * The nonces that proofs have to bring where they are required (RFC 9449 §8): one for each period, the same for every client, process and
 * machine, since the store has it. It is no secret: it only tells that a proof was not made before it was given out.
 */
export class Nonces {
  readonly #outside: Pick<Outside, 'store' | 'random'>
  readonly #seconds: number
  readonly #known = new Map<number, string>()

  /** A nonce is given out for so many seconds, and taken for twice as long at most. */
  constructor(seconds: number, outside: Pick<Outside, 'store' | 'random'>) {
    this.#seconds = seconds
    this.#outside = outside
  }

  /** Seconds after which no nonce that is taken now is taken any more. */
  get longestUse(): number {
    return 3 * this.#seconds
  }

  /** The one to give out now. */
  async current(now: Instant): Promise<string> {
    return await this.#ofPeriod(this.#periodAt(now))
  }

  /** Whether this is the nonce of the present period or of one beside it: another machine's clock may be a little ahead. */
  async isGood(nonce: string, now: Instant): Promise<boolean> {
    const period = Number(nonceForm.exec(nonce)?.[1] ?? Number.NaN)
    if (!(Math.abs(period - this.#periodAt(now)) <= 1)) return false
    return nonce === (this.#known.get(period) ?? (await this.#read(period)))
  }

  async #ofPeriod(period: number): Promise<string> {
    const known = this.#known.get(period) ?? (await this.#read(period))
    if (known !== undefined) return known
    const made = `${period}.${this.#outside.random(randomBytes).toString('base64url')}`
    const isFirst = await this.#outside.store.putIfAbsent(keyOf(period), made, this.longestUse)
    // Not remembered: where an explanation made it, it never was in the store.
    return isFirst ? made : ((await this.#read(period)) ?? made)
  }

  async #read(period: number): Promise<string | undefined> {
    const stored = await this.#outside.store.get(keyOf(period))
    if (stored === undefined) return undefined
    for (const earlier of this.#known.keys()) if (earlier < period - 1) this.#known.delete(earlier)
    this.#known.set(period, stored)
    return stored
  }

  #periodAt(now: Instant): number {
    return Math.floor(now / this.#seconds)
  }
}

function keyOf(period: number): string {
  return `dpop-nonce:${period}`
}
