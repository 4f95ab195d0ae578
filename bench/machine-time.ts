import { readFileSync } from 'node:fs'

/** Seconds of all cores together: how long they were busy, how long there was anything, and how much this process took (proc(5), hundredths). */
export function machineTime(): { busy: number; total: number; mine: number } {
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0] =
    readFileSync('/proc/stat', 'latin1')
      .split('\n', 1)[0]
      ?.split(/\s+/)
      .slice(1)
      .map(field => Number(field) / 100) ?? []
  const busy = user + nice + system + irq + softirq
  const mine = process.cpuUsage()
  return { busy, total: busy + idle + waiting, mine: (mine.user + mine.system) / 1e6 }
}
