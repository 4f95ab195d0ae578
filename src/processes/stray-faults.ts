import type { Logger } from 'pino'
import { traceOf } from '../plugins/fault.ts'

/**
 * Takes care of faults that nobody can catch any more. Their messages are not repeated: a plug-in or a library may have put a token there.
 * A promise that nobody waits for harms nobody else's request, and whoever can provoke one with a token must not be able to stop the
 * server with it. After anything else nobody knows what state the process is in: it ends, and a worker is replaced.
 */
export function hearStrayFaults(log: Logger): void {
  process.on('unhandledRejection', reason => log.error({ stack: traceOf(reason) }, 'a promise was rejected that nobody waits for'))
  process.on('uncaughtException', error => {
    log.fatal({ stack: traceOf(error) }, 'a fault that nobody could catch; this process ends')
    // The journal writes at the next turn.
    setTimeout(() => process.exit(1), millisecondsToSaySo)
  })
}

const millisecondsToSaySo = 50
