import cluster, { type Worker } from 'node:cluster'
import { setTimeout as pause } from 'node:timers/promises'
import type { FamilyNumbers } from './family.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import type { Registry } from './registry.ts'
import { remains, together } from './together.ts'

const millisecondsToAnswer = 2_000

/** In the first process: has the numbers of all workers, also of those that have ended. */
export class AllProcesses {
  readonly #registry: Registry
  readonly #last = new Map<number, readonly FamilyNumbers[]>()
  readonly #waiting = new Map<string, () => void>()
  /** Those that can answer. One that starts may take whatever it hears first for its configuration. */
  readonly #speaking = new Set<Worker>()
  #ended: readonly FamilyNumbers[] = []
  #number = 0

  constructor(registry: Registry) {
    this.#registry = registry
    cluster.on('message', (worker: Worker, message: FromWorker) => this.#hear(worker, message))
    cluster.on('exit', worker => this.#bury(worker))
  }

  async #all(): Promise<readonly FamilyNumbers[]> {
    const number = ++this.#number
    await Promise.all([...this.#speaking].map(worker => this.#ask(worker, number)))
    const own = await this.#registry.collect()
    // At one moment: a worker that ends meanwhile is either among the living or among the dead.
    return together([own, this.#ended, ...this.#last.values()])
  }

  /** Resolves when the worker has told its numbers. Of one that does not answer, the last ones count. */
  async #ask(worker: Worker, number: number): Promise<void> {
    const name = `${worker.id} ${number}`
    const answered = new Promise<void>(resolve => this.#waiting.set(name, resolve))
    const late = new AbortController()
    send(worker, { metrics: 'collect', number })
    await Promise.race([answered, pause(millisecondsToAnswer, undefined, { signal: late.signal, ref: false }).catch(() => undefined)])
    late.abort()
    this.#waiting.delete(name)
  }

  #hear(worker: Worker, message: FromWorker): void {
    if (message.metrics === 'ready') this.#speaking.add(worker)
    if (message.metrics === 'wanted') {
      void this.#all().then(families => send(worker, { metrics: 'all', number: message.number, families }))
    }
    if (message.metrics === 'collected' && !worker.isDead()) {
      this.#last.set(worker.id, message.families)
      this.#waiting.get(`${worker.id} ${message.number}`)?.()
    }
  }

  // What it told last is what was shown last, so that no count goes backwards.
  #bury(worker: Worker): void {
    const { id } = worker
    this.#speaking.delete(worker)
    this.#ended = together([this.#ended, remains(this.#last.get(id) ?? [])])
    this.#last.delete(id)
  }
}

function send(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined)
}
