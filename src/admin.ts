import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import type { Explainer } from './explain/explainer.ts'
import { answerJson } from './http/answer.ts'
import { answeringFailures } from './http/answering-failures.ts'
import type { BearerToken } from './http/bearer.ts'
import { explainEndpoint } from './http/explain.ts'
import type { Outside } from './outside.ts'

/** The Koa application for administrators, on a listener of its own: every route, on one page. */
export function createAdminApp(explainer: Explainer, bearer: BearerToken, outside: Outside): Koa {
  const router = new Router()
  router.post('/admin/explain', explainEndpoint(explainer, outside))

  const app = new Koa()
  app.silent = true
  app.use(answeringFailures(outside))
  app.use(administratorsOnly(bearer))
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}

// Before anything is routed or read: whoever has no token learns not even what there is.
function administratorsOnly(bearer: BearerToken): Middleware {
  return (ctx, next) => {
    if (bearer.isIn(ctx.req.headers.authorization)) return next()
    ctx.set('WWW-Authenticate', 'Bearer realm="admin"')
    ctx.set('Connection', 'close')
    answerJson(ctx, 401, { error: 'invalid_token', error_description: 'the bearer token of "admin" in server.json is needed' })
    return undefined
  }
}
