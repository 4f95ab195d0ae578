import type { RootDatabase } from 'lmdb'
import { Outage } from '../oauth/errors.ts'

/** One write of a group: what it does inside of the transaction, and who waits for it. */
interface Write {
  begin(): void
  settle(): Promise<void>
  refuse(outage: Outage): void
}

/**
 * Commits the writes of concurrent requests together: one transaction and one flush cost about as much for a hundred
 * writes as for one. One group is under way at a time. So a slow disk keeps one thread of Node's pool waiting, not all
 * of them, and the slower it is, the larger the groups become.
 */
export class GroupCommit {
  readonly #database: RootDatabase<string>
  readonly #ready: () => Promise<void>
  readonly #patience: number
  #waiting: Write[] = []
  #running: Promise<void> | undefined
  #overdue = false

  /** `ready` is asked before each group; after `patience` milliseconds without an answer of the disk, writes are refused. */
  constructor(database: RootDatabase<string>, ready: () => Promise<void>, patience: number) {
    this.#database = database
    this.#ready = ready
    this.#patience = patience
  }

  /** Runs the operation in the next transaction. Resolves to its result once that was flushed to disk. */
  write<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (this.#overdue) return Promise.reject(overdue())
    return new Promise((resolve, reject) => {
      this.#waiting.push(pendingWrite(operation, resolve, reject))
      this.#running ??= this.#run()
    })
  }

  /** Resolves when nothing is under way any more. */
  async finished(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    // Whatever else this turn of the event loop brings belongs to the first group.
    await new Promise(resolve => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      const impatience = setTimeout(() => this.#giveUp(group), this.#patience)
      await this.#commit(group)
      clearTimeout(impatience)
      this.#overdue = false
    }
    this.#running = undefined
  }

  async #commit(group: readonly Write[]): Promise<void> {
    try {
      await this.#ready()
      await this.#database.batch(() => {
        for (const write of group) write.begin()
      })
      await this.#database.flushed
      await Promise.all(group.map(write => write.settle()))
    } catch (error) {
      const outage = error instanceof Outage ? error : new Outage('the store cannot write', await causeOf(error))
      for (const write of group) write.refuse(outage)
    }
  }

  // The group under way may be committed yet: LMDB cannot be called back. Nobody is told that it was.
  #giveUp(group: readonly Write[]): void {
    this.#overdue = true
    for (const write of [...group, ...this.#waiting]) write.refuse(overdue())
    this.#waiting = []
  }
}

function pendingWrite<Result>(
  operation: () => Promise<Result>,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): Write {
  let result: Promise<Result>
  return {
    begin() {
      result = new Promise<Result>(begun => begun(operation()))
      // Where the whole group fails, nobody looks at the single results.
      result.catch(() => undefined)
    },
    settle: () => result.then(resolve, reject),
    refuse: reject,
  }
}

function overdue(): Outage {
  return new Outage('the disk of the store does not answer')
}

// LMDB rejects with "Commit failed" and gives the reason in a second promise, where it has one.
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error
  const reason = Promise.resolve(error.commitError).catch((cause: unknown) => cause)
  return Promise.race([reason, new Promise(resolve => setImmediate(resolve, error))])
}
