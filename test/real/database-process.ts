import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { until } from '../stores/until.ts'
import { standingStill } from './freezing.ts'
import { startUnprivileged } from './unprivileged.ts'

/** A database server that a test has started and may do anything to. */
export interface RealDatabase {
  readonly port: number
  /** Stops it without ending it: connections stay open, nothing is answered. */
  freeze(): Promise<void>
  thaw(): void
  /** Ends it at once, with every connection. What it kept stays in its folder. */
  kill(): Promise<void>
  /** Starts it again on the same port after `kill`. */
  start(): Promise<void>
  /** Runs statements in it as its owner, and gives the rows of the last one. */
  query(text: string): Promise<ReadonlyArray<Record<string, unknown>>>
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

/** How one kind of database server is run and asked. */
export interface DatabaseProcessParts {
  readonly port: number
  readonly command: string
  readonly args: readonly string[]
  query(text: string): Promise<ReadonlyArray<Record<string, unknown>>>
  remove(): Promise<void>
}

/** The process of a database server, with its children: PostgreSQL has one for each connection. */
export class DatabaseProcess implements RealDatabase {
  readonly port: number
  readonly #parts: DatabaseProcessParts
  #process: ChildProcess | undefined

  constructor(parts: DatabaseProcessParts) {
    this.port = parts.port
    this.#parts = parts
  }

  async freeze(): Promise<void> {
    if (this.#process !== undefined) await frozen(this.#process)
  }

  thaw(): void {
    const pid = this.#process?.pid
    if (pid !== undefined) for (const each of [pid, ...childrenOf(pid)]) signalIfThere(each, 'SIGCONT')
  }

  async kill(): Promise<void> {
    const running = this.#process
    this.#process = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, 'exit')
    const all = await frozen(running)
    for (const each of all) signalIfThere(each, 'SIGKILL')
    await ended
    // PostgreSQL does not start while a process of the one before is there.
    await until('all its processes have ended', () => all.every(hasEnded))
  }

  async start(): Promise<void> {
    const started = startUnprivileged(this.#parts.command, this.#parts.args)
    this.#process = started
    await until(
      `${this.#parts.command} answers`,
      async () => {
        if (started.exitCode !== null) throw new Error(`${this.#parts.command} ended with ${started.exitCode}`)
        return await this.query('SELECT 1').then(
          () => true,
          () => false,
        )
      },
      60_000,
    ).catch(error => this.stop().then(() => Promise.reject(error)))
  }

  query(text: string): Promise<ReadonlyArray<Record<string, unknown>>> {
    return this.#parts.query(text)
  }

  async stop(): Promise<void> {
    await this.kill()
    await this.#parts.remove()
  }
}

/** Stops it with all of its children, and gives their ids. The parent stands still first: it would make others meanwhile. */
async function frozen({ pid }: ChildProcess): Promise<readonly number[]> {
  if (pid === undefined) return []
  signalIfThere(pid, 'SIGSTOP')
  await standingStill(pid)
  const children = childrenOf(pid)
  for (const child of children) signalIfThere(child, 'SIGSTOP')
  await standingStill(...children)
  return [pid, ...children]
}

// Whoever has ended stays as a zombie until somebody asks after it.
function hasEnded(pid: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return /^[ZX]/.test(line.slice(line.lastIndexOf(')') + 2))
  } catch {
    return true
  }
}

function childrenOf(pid: number): readonly number[] {
  const list = `/proc/${pid}/task/${pid}/children`
  return existsSync(list)
    ? readFileSync(list, 'utf8')
        .trim()
        .split(' ')
        .map(Number)
        .filter(child => child > 0)
    : []
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
