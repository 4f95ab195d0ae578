import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import { Attempts } from './clients/attempts.ts'
import type { Explainer } from './explain/explainer.ts'
import { answerJson } from './http/answer.ts'
import { answeringFailures } from './http/answering-failures.ts'
import type { BearerToken } from './http/bearer.ts'
import { peerAddress } from './http/client-address.ts'
import { explainEndpoint } from './http/explain.ts'
import { Outage } from './oauth/errors.ts'
import type { Outside } from './outside.ts'

/** The Koa application for administrators, on a listener of its own: every route, on one page. */
export function createAdminApp(explainer: Explainer, bearer: BearerToken, outside: Outside): Koa {
  const router = new Router()
  router.post('/admin/explain', explainEndpoint(explainer, outside))

  const app = new Koa()
  app.silent = true
  app.use(answeringFailures(outside))
  app.use(administratorsOnly(bearer, outside))
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}

// Before anything is routed or read: whoever has no token learns not even what there is. Whoever has it is never slowed, whatever others try.
function administratorsOnly(bearer: BearerToken, outside: Outside): Middleware {
  const attempts = new Attempts(outside)
  return async (ctx, next) => {
    const { authorization } = ctx.req.headers
    if (bearer.isIn(authorization)) return next()
    ctx.set('Connection', 'close')
    // A request without any token tries none.
    if (authorization) await attempts.count('the token of administrators', peerAddress(ctx.req)).catch(unlessOutage)
    ctx.set('WWW-Authenticate', 'Bearer realm="admin"')
    answerJson(ctx, 401, { error: 'invalid_token', error_description: 'the bearer token of "admin" in server.json is needed' })
  }
}

// Whether it is counted or not, the token is wrong.
function unlessOutage(error: unknown): void {
  if (!(error instanceof Outage)) throw error
}
