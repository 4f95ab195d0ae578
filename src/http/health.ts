import type { Middleware } from 'koa'
import { Outage } from '../oauth/errors.ts'
import type { Server } from '../server.ts'
import { answerJson } from './answer.ts'

/** `GET /readyz`: whether this process can serve every exchange now. A store that is down does not stop those that do not need it. */
export function readiness(server: Server): Middleware {
  return async ctx => {
    try {
      await server.outside.store.ping()
      answerJson(ctx, 200, { status: 'ready', version: server.version, store: 'reachable' })
    } catch (error) {
      if (!(error instanceof Outage)) throw error
      answerJson(ctx, 503, { status: 'not ready', version: server.version, store: 'unreachable' })
    }
  }
}
