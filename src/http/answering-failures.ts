import type { Middleware } from 'koa'
import type { Outside } from '../outside.ts'
import { answerFailure, answerJson } from './answer.ts'
import { failureOf } from './failure.ts'

/** Answers and logs what endpoints throw: all but /token, which answers its own failures because it records them first. */
export function answeringFailures({ log }: Pick<Outside, 'log'>): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body == null && ctx.respond !== false) answerJson(ctx, 404, { error: 'not_found' })
    } catch (error) {
      const failure = failureOf(error, ctx.req.headers.authorization !== undefined)
      log[failure.outcome === 'failed' ? 'error' : 'info'](
        { path: ctx.path, status: failure.status, ...failure.internal },
        'request refused',
      )
      answerFailure(ctx, failure)
    }
  }
}
