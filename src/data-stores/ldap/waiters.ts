import { Outage } from '../../oauth/errors.ts'

interface Waiter<Thing> {
  take(thing: Thing): void
  fail(error: Error): void
}

/** Those who wait for something, in the order in which they came, and not more than so many. */
export class Waiters<Thing> {
  readonly #most: number
  readonly #waiting = new Set<Waiter<Thing>>()

  constructor(most: number) {
    this.#most = most
  }

  get count(): number {
    return this.#waiting.size
  }

  /** Throws an `Outage` when too many wait already; the reason of the signal when that comes first. */
  wait(signal: AbortSignal): Promise<Thing> {
    if (this.#waiting.size >= this.#most) throw new Outage(`${this.#most} lookups wait for a connection already`)
    return new Promise((resolve, reject) => {
      const leave = () => waiter.fail(signal.reason instanceof Error ? signal.reason : new Error('given up'))
      const settled = () => {
        this.#waiting.delete(waiter)
        signal.removeEventListener('abort', leave)
      }
      const waiter: Waiter<Thing> = {
        take: thing => {
          settled()
          resolve(thing)
        },
        fail: error => {
          settled()
          reject(error)
        },
      }
      this.#waiting.add(waiter)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** Gives it to the first who waits; false when there is none. */
  serve(thing: Thing): boolean {
    const [first] = this.#waiting
    first?.take(thing)
    return first !== undefined
  }

  refuse(error: Error): void {
    for (const waiter of [...this.#waiting]) waiter.fail(error)
  }
}
