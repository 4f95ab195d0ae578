import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import { buildConfiguration } from '../config/load.ts'
import type { ServerSettings } from '../config/server-file.ts'
import type { Reading, Snapshot } from '../config/snapshot.ts'
import type { ReloadFacts } from '../reload/reload-report.ts'
import type { Prepared, Site } from '../reload/site.ts'
import { TicketKeys } from '../tls/ticket-keys.ts'
import { withoutStore } from '../world.ts'
import { letGoWithWorker } from './hand-over.ts'
import type { ToFirst, ToWorker } from './messages.ts'

const millisecondsToPrepare = 120_000
const millisecondsToReplacement = 1_000
const millisecondsBeyondTheDeadline = 5_000

interface Numbered {
  readonly number: number
  readonly snapshot: Snapshot
  readonly shutdown: ServerSettings['shutdown'] | undefined
}

/**
 * The workers, who all serve the same configuration: this process reads it, each of them builds it, and only when all have done so it
 * is used. None of them ever looks into the folder, which may say something else already.
 */
export class Fleet implements Site {
  readonly #log: Logger
  readonly #foundation: Snapshot
  readonly #tickets = new TicketKeys().keepReplacing()
  #facts: ReloadFacts
  #inUse: Numbered | undefined
  #number = 0
  #stopping = false
  /** Those that have asked for a configuration: the others would not hear. */
  readonly #listening = new Set<Worker>()
  readonly #answers = new Map<Worker, (answer: ToFirst | undefined) => void>()

  constructor({ snapshot }: Reading, facts: ReloadFacts, log: Logger) {
    this.#log = log
    this.#facts = facts
    this.#foundation = { ...snapshot, files: snapshot.files.filter(({ file }) => file === 'server.json') }
    this.#tickets.onReplaced(keys => this.#sendToAll({ kind: 'tickets', keys }))
    cluster.setupPrimary({ serialization: 'advanced' })
    cluster.on('fork', letGoWithWorker)
    cluster.on('message', (worker: Worker, message: ToFirst) => this.#hear(worker, message))
    cluster.on('exit', (worker, code, signal) => this.#mourn(worker, code, signal))
  }

  /** Forks workers. Resolves to whether all of them listen. */
  async start(workers: number): Promise<boolean> {
    const forked = Array.from({ length: workers }, () => cluster.fork())
    const started = await Promise.all(
      forked.map(worker => Promise.race([once(worker, 'listening').then(() => true), once(worker, 'exit').then(() => false)])),
    )
    return !started.includes(false)
  }

  async prepare(reading: Reading): Promise<Prepared> {
    const { server, warnings } = await buildConfiguration(reading.parsed, withoutStore(pino({ level: 'silent' })))
    const candidate = { number: ++this.#number, snapshot: reading.snapshot, shutdown: reading.parsed.settings?.shutdown }
    const discard = () => this.#sendToAll({ kind: 'discard', number: candidate.number })
    try {
      await Promise.all([...this.#listening].map(worker => this.#prepareIn(worker, candidate)))
    } catch (error) {
      discard()
      throw error
    }
    const use = () => {
      this.#inUse = candidate
      this.#sendToAll({ kind: 'use', number: candidate.number })
    }
    return { version: server.version, warnings, use, discard }
  }

  tell(facts: ReloadFacts): void {
    this.#facts = facts
    this.#sendToAll({ kind: 'report', facts })
  }

  /** Ends all workers, those that do not end by themselves by force after the deadline. */
  async stop(): Promise<void> {
    this.#stopping = true
    const workers = Object.values(cluster.workers ?? {}).filter(worker => worker !== undefined)
    const ended = Promise.all(workers.map(worker => once(worker, 'exit')))
    for (const worker of workers) {
      // By a message: a worker may have got the signal as well, and a second one would end it at once.
      if (this.#listening.has(worker)) send(worker, { kind: 'stop' })
      else worker.process.kill('SIGTERM')
    }
    const { delay = 0, deadline = 0 } = this.#inUse?.shutdown ?? {}
    const late = pause((delay + deadline) * 1000 + millisecondsBeyondTheDeadline, undefined, { ref: false })
    await Promise.race([ended, late.then(() => this.kill())])
    await ended
  }

  /** Ends all workers at once. */
  kill(): void {
    this.#stopping = true
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL')
  }

  #hear(worker: Worker, message: ToFirst): void {
    if (message.kind === 'ask') {
      this.#listening.add(worker)
      const { number, snapshot } = this.#inUse ?? fail()
      const tickets = this.#tickets.current
      send(worker, { kind: 'take', number, snapshot, foundation: this.#foundation, facts: this.#facts, tickets })
    }
    // Workers also speak of metrics.
    if (message.kind === 'prepared' || message.kind === 'unable') this.#answers.get(worker)?.(message)
  }

  async #prepareIn(worker: Worker, { number, snapshot }: Numbered): Promise<void> {
    const answered = new Promise<ToFirst | undefined>(resolve => this.#answers.set(worker, resolve))
    send(worker, { kind: 'prepare', number, snapshot })
    const late = pause(millisecondsToPrepare, 'late' as const, { ref: false })
    const answer = await Promise.race([answered, late]).finally(() => this.#answers.delete(worker))
    const { pid } = worker.process
    if (answer === undefined) throw new Error(`the worker ${pid} ended while it built the configuration`)
    if (answer === 'late') throw new Error(`the worker ${pid} does not get done with the configuration`)
    if (answer.kind === 'unable') throw new Error(`the worker ${pid} cannot build what the first process has built: ${answer.why}`)
  }

  #mourn(worker: Worker, code: number | null, signal: string | null): void {
    this.#listening.delete(worker)
    this.#answers.get(worker)?.(undefined)
    if (this.#stopping) return
    this.#log.error({ worker: worker.process.pid, code, signal }, 'a worker has ended; another one takes its place')
    // One that dies at once would be started over and over; a pause bounds what that costs.
    setTimeout(() => !this.#stopping && cluster.fork(), millisecondsToReplacement)
  }

  #sendToAll(message: ToWorker): void {
    for (const worker of this.#listening) send(worker, message)
  }
}

function send(worker: Worker, message: ToWorker): void {
  // Whoever cannot be reached is about to end, and will be missed then.
  if (worker.isConnected()) worker.send(message, () => undefined)
}

function fail(): never {
  throw new Error('there is no configuration yet')
}
