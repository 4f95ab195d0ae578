import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { standingStill } from './freezing.ts'

/** A real server that is one process, which can be made to hang and be killed. */
export abstract class SingleProcess {
  protected process: ChildProcess | undefined

  /** Makes it hang: it takes connections and says nothing. */
  async freeze(): Promise<void> {
    this.process?.kill('SIGSTOP')
    await standingStill(this.process?.pid)
  }

  thaw(): void {
    this.process?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    const running = this.process
    this.process = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
    await ended
  }
}
