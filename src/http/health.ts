import type { Middleware } from 'koa'
import { Outage } from '../oauth/errors.ts'
import type { ReloadReport } from '../reload/reload-report.ts'
import type { Server } from '../server.ts'
import { answerJson } from './answer.ts'

/** How this process is, whatever configuration it serves. */
export interface Condition {
  /** Whether it was told to stop, so that nothing new should be sent to it. */
  stopping: boolean
  readonly reload: ReloadReport
}

/**
 * `GET /readyz`: whether this process can serve every exchange now. A store that is down does not stop those that do not need it, nor
 * does a data store; a reload that failed stops none.
 */
export function readiness(server: Server, condition: Condition): Middleware {
  return async ctx => {
    const about = { version: server.version, ...reloadOf(condition.reload), ...dataStoresOf(server) }
    if (condition.stopping) return answerJson(ctx, 503, { status: 'stopping', ...about })
    try {
      await server.outside.store.ping()
      answerJson(ctx, 200, { status: 'ready', ...about, store: 'reachable' })
    } catch (error) {
      if (!(error instanceof Outage)) throw error
      answerJson(ctx, 503, { status: 'not ready', ...about, store: 'unreachable' })
    }
  }
}

// Another server, which is as near or as far to every other process of ours: to send requests there would help nobody.
function dataStoresOf({ dataStores }: Server) {
  if (dataStores.size === 0) return {}
  const states = [...dataStores].map(([id, { breaker }]) => [id, breaker.state === 'closed' ? 'in use' : 'down'])
  return { dataStores: Object.fromEntries(states) }
}

function reloadOf({ facts: { loadedAt, failure, needsRestart } }: ReloadReport) {
  return {
    loadedAt: instant(loadedAt),
    ...(failure !== undefined && { reload: { status: 'failed', problems: failure.problems, at: instant(failure.at) } }),
    ...(needsRestart.length > 0 && { needsRestart }),
  }
}

function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
