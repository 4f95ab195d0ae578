import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

/** What a contender is told to do. */
export interface Task {
  readonly operation: 'putIfAbsent' | 'increment' | 'take' | 'fill'
  readonly key: string
  readonly times: number
}

/** What it says. */
export type Answer = { ready: true } | { results: Array<string | number | boolean | null> } | { acknowledged: string }

/** Processes that work on one store at the same time. */
export class Contenders {
  readonly #processes: readonly ChildProcess[]

  private constructor(processes: readonly ChildProcess[]) {
    this.#processes = processes
  }

  /** Starts them on an embedded store's folder or a Redis URL. */
  static async start(count: number, kind: 'embedded' | 'redis', where: string): Promise<Contenders> {
    const file = fileURLToPath(new URL('./contender.ts', import.meta.url))
    const processes = Array.from({ length: count }, () => fork(file, [kind, where], { execArgv: ['--import', 'tsx'] }))
    await Promise.all(processes.map(child => once(child, 'message')))
    return new Contenders(processes)
  }

  /** All do the same at the same time, each so many times; resolves to all results. */
  async all(operation: 'putIfAbsent' | 'increment' | 'take', key: string, times: number): Promise<unknown[]> {
    const answers = this.#processes.map(child => once(child, 'message'))
    for (const child of this.#processes) child.send({ operation, key, times } satisfies Task)
    return (await Promise.all(answers)).flatMap(([answer]) => answer.results)
  }

  /**
   * All write as fast as they can and are killed in the midst of it, each after it has written so much. Resolves to the keys that were
   * acknowledged.
   */
  async writeUntilKilled(writes: number): Promise<string[]> {
    const acknowledged: string[] = []
    const counts = this.#processes.map(() => 0)
    const exits = this.#processes.map((child, index) => {
      child.on('message', (answer: { acknowledged: string }) => {
        acknowledged.push(answer.acknowledged)
        counts[index] = (counts[index] ?? 0) + 1
      })
      child.send({ operation: 'fill', key: `filled:${index}:${child.pid}`, times: 0 } satisfies Task)
      return once(child, 'exit')
    })
    // One after the other, so that the first dies while the others write.
    for (const [index, child] of this.#processes.entries()) {
      const enough = (counts[index] ?? 0) + writes
      await until(`another ${writes} writes`, () => (counts[index] ?? 0) >= enough, 30_000)
      child.kill('SIGKILL')
    }
    await Promise.all(exits)
    return acknowledged
  }

  /** Ends all that are still there. */
  async stop(): Promise<void> {
    const running = this.#processes.filter(child => child.exitCode === null && child.signalCode === null)
    const exits = running.map(child => once(child, 'exit'))
    for (const child of running) child.kill('SIGKILL')
    await Promise.all(exits)
  }
}
