import { readdir, readFile } from 'node:fs/promises'
import { until } from '../stores/until.ts'

/** Waits until every thread of these processes stands still: on a busy machine, SIGSTOP takes its time. */
export async function standingStill(...pids: ReadonlyArray<number | undefined>): Promise<void> {
  for (const pid of pids) if (pid !== undefined) await until(`${pid} stands still`, () => isStopped(pid))
}

async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const states = await Promise.all(threads.map(thread => readFile(`/proc/${pid}/task/${thread}/stat`, 'latin1').catch(() => ') T')))
  // The name of the program may have any character in it. Whoever has ended while its parent stands still is a zombie.
  return states.every(line => /^[TtZX]/.test(line.slice(line.lastIndexOf(')') + 2)))
}
