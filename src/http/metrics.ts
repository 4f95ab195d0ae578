import type { Middleware } from 'koa'
import { exposition, expositionType } from '../observe/metrics/exposition.ts'
import type { FamilyNumbers } from '../observe/metrics/family.ts'
import { answerJson } from './answer.ts'
import type { BearerToken } from './bearer.ts'

/** `GET /metrics` for Prometheus: the numbers of all processes, whichever of them is asked. */
export function metricsEndpoint(bearer: BearerToken | undefined, numbers: () => Promise<readonly FamilyNumbers[]>): Middleware {
  return async ctx => {
    if (bearer?.isIn(ctx.req.headers.authorization) === false) {
      ctx.set('WWW-Authenticate', 'Bearer realm="metrics"')
      return answerJson(ctx, 401, { error: 'invalid_token', error_description: 'the bearer token of "metrics" in server.json is needed' })
    }
    ctx.body = exposition(await numbers())
    ctx.set('Content-Type', expositionType)
    ctx.set('Cache-Control', 'no-store')
  }
}
