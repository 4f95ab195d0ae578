import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { AssertionError } from 'chai'

const mostRounds = 5

/**
 * Fails where `work` leaves more than so many bytes behind whenever it is done. What leaks, leaks each time; what else happens in the
 * process, such as the end of an earlier file of tests, does not. So one time that left little is proof enough, and ends it. The first
 * time is not counted: it fills what is filled once. What is to be counted while it is open, `work` gives, and `close` closes when it
 * was counted.
 */
export async function leavesAtMost<Opened>(
  limit: number,
  work: () => Promise<Opened>,
  close: (opened: Opened) => unknown = () => undefined,
): Promise<void> {
  await close(await work())
  const left: number[] = []
  for (let round = 0; round < mostRounds; round++) {
    const before = await bytesInUse()
    const opened = await work()
    const bytes = (await bytesInUse()) - before
    await close(opened)
    if (bytes <= limit) return
    left.push(bytes)
  }
  throw new AssertionError(`more than ${limit} bytes were left behind each time: ${left.join(', ')}`)
}

/** What is in use when everything was thrown away that can be. */
async function bytesInUse(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // What was collected may have had something else to let go of: an AbortSignal its timer, a closed socket its handle.
  for (let turn = 0; turn < 4; turn++) {
    collect()
    await pause(25)
  }
  collect()
  return process.memoryUsage().heapUsed
}
