import type { Middleware } from 'koa'
import type { AccessToken } from '../access-tokens/access-token-manager.ts'
import type { Client } from '../clients/client.ts'
import { authenticateClient } from '../exchange/authenticate-client.ts'
import { OAuthError } from '../oauth/errors.ts'
import { readByOneOf } from '../processors/access-token.ts'
import type { Server } from '../server.ts'
import { answerJson } from './answer.ts'
import { clientAddress } from './client-address.ts'
import { presentedCredentials } from './client-credentials.ts'
import { readForm } from './form.ts'

/** `POST /introspect` (RFC 7662). Whoever may not see a token learns no more than that it is not active for them (§2.2). */
export function introspectionEndpoint(server: Server): Middleware {
  return async ctx => {
    const form = await readForm(ctx.req)
    const client = await authenticateClient(server, presentedCredentials(ctx.req.headers.authorization, form), clientAddress(ctx.req))
    const token = form.get('token')
    if (token === undefined) throw new OAuthError('malformed-request', 'token is missing')
    const read = mayIntrospect(client) ? await readByOneOf(server.accessTokenManagers.values(), token, server.outside.now()) : undefined
    answerJson(
      ctx,
      200,
      // Last what this server says: an attribute may be mapped to any of these names.
      read !== undefined && mayBeSeenBy(client, read) ? { ...read.claims, active: true, token_type: 'Bearer' } : { active: false },
    )
  }
}

function mayIntrospect(client: Client): boolean {
  return client.enabled && client.introspection.enabled
}

function mayBeSeenBy(client: Client, { clientId, audiences }: AccessToken): boolean {
  return clientId === client.id || audiences.some(audience => audience === client.id || client.audiences.includes(audience))
}
