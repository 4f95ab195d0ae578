import type { Middleware } from 'koa'
import type { AccessToken } from '../access-tokens/access-token-manager.ts'
import type { Client } from '../clients/client.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import { readByOneOf } from '../processors/access-token.ts'
import type { Server } from '../server.ts'
import { answerJson, answerText } from './answer.ts'
import { authenticateCaller } from './authenticate-caller.ts'
import { readForm } from './form.ts'
import { selectSigner, signedIntrospection, signedIntrospectionType } from './signed-introspection.ts'

/** `POST /introspect` (RFC 7662, RFC 9701). Whoever may not see a token learns no more than that it is not active for them (§2.2). */
export function introspectionEndpoint(server: Server): Middleware {
  return async ctx => {
    const form = await readForm(ctx.req)
    const client = await authenticateCaller(server, ctx.req, form)
    const token = form.get('token')
    if (token === undefined) throw new OAuthError('malformed-request', 'token is missing')
    const signer = selectSigner(server, client, types => ctx.accepts([...types]))
    const now = server.outside.now()
    const read = mayIntrospect(client) ? await readByOneOf(server.accessTokenManagers.values(), token, now) : undefined
    // RFC 9701 §5: a signed statement about a token goes to whom the token is meant for, and to nobody else.
    const isShown = read !== undefined && (signer === undefined ? mayBeSeenBy(client, read) : isFor(client, read))
    const answer = isShown ? shownOf(read) : { active: false }
    if (signer === undefined) answerJson(ctx, 200, answer)
    else answerText(ctx, signedIntrospectionType, await signedIntrospection(answer, { issuer: server.issuer, signer, client, now }))
  }
}

// Last what this server says: an attribute may be mapped to any of these names.
function shownOf({ claims }: AccessToken): JsonObject {
  // RFC 9449 §6.2: of a token that is bound by DPoP.
  const isBound = isJsonObject(claims.cnf) && claims.cnf.jkt !== undefined
  return { ...claims, active: true, token_type: isBound ? 'DPoP' : 'Bearer' }
}

function mayIntrospect(client: Client): boolean {
  return client.enabled && client.introspection.enabled
}

function mayBeSeenBy(client: Client, read: AccessToken): boolean {
  return read.clientId === client.id || isFor(client, read)
}

function isFor(client: Client, { audiences }: AccessToken): boolean {
  return audiences.some(audience => audience === client.id || client.audiences.includes(audience))
}
