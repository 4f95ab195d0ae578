import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Condition } from '../http/health.ts'
import type { Listening } from '../listen.ts'
import type { Reloader } from '../reload/reloader.ts'
import type { ThisProcess } from './this-process.ts'

const millisecondsToClose = 2_000

const signals = ['SIGTERM', 'SIGINT'] as const

/** Resolves when this process is told to stop; `atOnce` is called when it is told again. */
export async function toldToStop(atOnce: () => void): Promise<void> {
  await new Promise<void>(resolve => {
    let told = false
    const hear = () => {
      if (told) atOnce()
      told = true
      resolve()
    }
    for (const signal of signals) process.on(signal, hear)
  })
}

/** Lets load balancers see that this process stops, then finishes the requests in flight until the deadline. */
export async function finish(listening: Listening, site: ThisProcess, condition: Condition, log: Logger): Promise<void> {
  const { delay, deadline } = site.settings.shutdown
  condition.stopping = true
  site.part()
  log.info('stopping')
  await pause(delay * 1000)
  const cutOff = await listening.close(deadline * 1000)
  if (cutOff) log.warn({ deadline }, 'requests were cut off that had not ended before the deadline')
  // Whoever was cut off may still wait for another server, and this process would wait with him.
  setTimeout(() => process.exit(), millisecondsToClose).unref()
}

/** What the first process, or the only one, hears from outside. */
export interface Heard {
  /** Resolves when it is told to stop. */
  readonly stop: Promise<void>
  /** SIGHUP; until somebody wants to hear of it, it does nothing. */
  onHangUp(hear: () => void): void
}

/** To be called before anything listens, so that a signal that comes early neither is lost nor ends the process in the middle of a start. */
export function hearSignals(atOnce: () => void): Heard {
  let hangUp = () => {}
  process.on('SIGHUP', () => hangUp())
  return {
    stop: toldToStop(atOnce),
    onHangUp(hear) {
      hangUp = hear
    },
  }
}

/** Keeps the configuration up to date until this process is told to stop. */
export async function reloadUntilStopped(reloader: Reloader, heard: Heard): Promise<void> {
  heard.onHangUp(() => reloader.demand())
  void reloader.run()
  await heard.stop
  reloader.stop()
}
