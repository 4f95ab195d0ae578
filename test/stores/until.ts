import { setTimeout as pause } from 'node:timers/promises'

/** Resolves as soon as the condition holds, and fails when that takes longer than a slow machine needs. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, milliseconds = 30_000): Promise<void> {
  const end = performance.now() + milliseconds
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`)
    await pause(20)
  }
}
