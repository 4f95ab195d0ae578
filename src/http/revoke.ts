import type { Middleware } from 'koa'
import { Revocations } from '../access-tokens/revocations.ts'
import { OAuthError } from '../oauth/errors.ts'
import { readByOneOf } from '../processors/access-token.ts'
import type { Server } from '../server.ts'
import { answerEmpty } from './answer.ts'
import { authenticateCaller } from './authenticate-caller.ts'
import { readForm } from './form.ts'

/** Clocks of several machines differ; a revocation outlasts every token that it reaches on each of them. */
const skew = 300

/** `POST /revoke` (RFC 7009): a client revokes a token of its own, and with it every token that was exchanged from it. */
export function revocationEndpoint(server: Server): Middleware {
  const revocations = new Revocations(server.outside.store)
  return async ctx => {
    const form = await readForm(ctx.req)
    const client = await authenticateCaller(server, ctx.req, form)
    if (!client.enabled) throw new OAuthError('client-disabled', 'this client is disabled')
    const token = form.get('token')
    if (token === undefined) throw new OAuthError('malformed-request', 'token is missing')
    const now = server.outside.now()
    const read = await readByOneOf(server.accessTokenManagers.values(), token, now)
    if (read !== undefined) {
      if (read.clientId !== client.id) throw new OAuthError('token-of-another-client', 'the token was issued to another client')
      await revocations.revoke(read.id, Math.ceil(Math.max(server.longestLifetime, read.expiresAt - now)) + skew)
    }
    // An unknown token is as good as a revoked one (RFC 7009 §2.2).
    answerEmpty(ctx)
  }
}
