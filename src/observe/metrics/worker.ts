import { within } from '../../stores/within.ts'
import type { FamilyNumbers } from './family.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import type { Registry } from './registry.ts'

const millisecondsToAnswer = 5_000

/** In a worker: tells its own numbers to the first process, and asks it for those of all. */
export class WorkerNumbers {
  readonly #registry: Registry
  readonly #waiting = new Map<number, (families: readonly FamilyNumbers[]) => void>()
  #number = 0

  constructor(registry: Registry) {
    this.#registry = registry
    process.on('message', (message: ToWorker) => this.#hear(message))
    send({ metrics: 'ready' })
  }

  /** The numbers of all processes. Throws an `Outage` when the first one does not answer. */
  async all(): Promise<readonly FamilyNumbers[]> {
    const number = ++this.#number
    const answered = new Promise<readonly FamilyNumbers[]>(resolve => this.#waiting.set(number, resolve))
    send({ metrics: 'wanted', number })
    return await within(millisecondsToAnswer, 'the first process', answered).finally(() => this.#waiting.delete(number))
  }

  #hear(message: ToWorker): void {
    if (message.metrics === 'all') this.#waiting.get(message.number)?.(message.families)
    if (message.metrics === 'collect') {
      const { number } = message
      void this.#registry.collect().then(families => send({ metrics: 'collected', number, families }))
    }
  }
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}
