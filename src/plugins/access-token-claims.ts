import { ancestorsClaim } from '../access-tokens/manager-settings.ts'
import type { JsonObject } from '../json.ts'
import type { PluginAccessGrant } from './guarded-manager.ts'

/** The claims of a new access token, with all that was decided (RFC 9068 §2.2, RFC 8693 §4); `accessTokenOf` reads them again. */
export function accessTokenClaims(grant: PluginAccessGrant, { issuer, id }: { readonly issuer: string; readonly id: string }): JsonObject {
  const { attributes, audience, client, delegation, confirmation, scope, ancestors, expiresBy, now } = grant
  return {
    iss: issuer,
    ...attributes,
    aud: audience,
    client_id: client.id,
    iat: Math.floor(now),
    exp: expiresBy,
    jti: id,
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(delegation.act !== undefined && { act: delegation.act }),
    ...(confirmation !== undefined && { cnf: confirmation }),
    ...(ancestors.length > 0 && { [ancestorsClaim()]: ancestors }),
  }
}
