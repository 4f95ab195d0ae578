import type { Logger } from 'pino'
import type { Journal } from '../observe/journal.ts'
import { traceOf } from '../plugins/fault.ts'

/**
 * Takes care of faults that nobody can catch any more. Their messages are not repeated: a plug-in or a library may have put a token there.
 * A promise that nobody waits for harms nobody else's request, and whoever can provoke one with a token must not be able to stop the
 * server with it. After anything else nobody knows what state the process is in: it ends, and a worker is replaced.
 */
export function hearStrayFaults(log: Logger, journal: Pick<Journal, 'written'>): void {
  process.on('unhandledRejection', reason => log.error({ stack: traceOf(reason) }, 'a promise was rejected that nobody waits for'))
  process.on('uncaughtException', error => {
    log.fatal({ stack: traceOf(error) }, 'a fault that nobody could catch; this process ends')
    const end = () => process.exit(1)
    // Many a slow hash may stand before that line. Where it cannot be written, no exchange is answered meanwhile, since none can be recorded.
    journal.written().then(end, end)
  })
}
