import type { AccessTokenManager } from '../access-tokens/access-token-manager.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { signatureAlgorithms } from '../keys/signing-key.ts'
import { tokenExchangeGrant, tokenTypes } from '../oauth/token-types.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'

/** Everything that the public documents tell of a configuration. */
export interface Published {
  readonly issuer: string
  readonly scopes: readonly string[]
  readonly policies: Iterable<ProcessorPolicy>
  readonly accessTokenManagers: Iterable<AccessTokenManager>
  readonly keys: readonly SigningKey[]
}

/** The public documents as JSON text: they change with the configuration only. */
export interface Documents {
  readonly jwks: string
  readonly authorizationServer: string
  readonly openidConfiguration: string
}

/** Writes the documents of `GET /jwks` (RFC 7517 §5) and of both metadata addresses (RFC 8414 §2, OpenID Connect Discovery §3). */
export function documentsOf(published: Published): Documents {
  const metadata = metadataOf(published)
  const forOpenId = {
    ...metadata,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: signatureAlgorithmsOf(published.keys),
  }
  return {
    jwks: JSON.stringify({ keys: published.keys.map(key => key.publicJwk) }),
    authorizationServer: JSON.stringify(metadata),
    openidConfiguration: JSON.stringify(forOpenId),
  }
}

/** The address of an endpoint below the issuer. */
export function endpoint(issuer: string, name: string): string {
  return `${issuer.replace(/\/$/, '')}/${name}`
}

function metadataOf({ issuer, scopes, policies, accessTokenManagers }: Published) {
  const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']
  return {
    issuer,
    token_endpoint: endpoint(issuer, 'token'),
    ...forEndpoint('token', methods),
    introspection_endpoint: endpoint(issuer, 'introspect'),
    ...forEndpoint('introspection', methods),
    revocation_endpoint: endpoint(issuer, 'revoke'),
    ...forEndpoint('revocation', methods),
    jwks_uri: endpoint(issuer, 'jwks'),
    grant_types_supported: [tokenExchangeGrant],
    // There is no authorization endpoint; strict readers want the member all the same (RFC 8414 §2).
    response_types_supported: ['none'],
    ...unlessEmpty('scopes_supported', scopes),
    ...unlessEmpty('token_exchange_subject_token_types_supported', subjectTokenTypes(policies)),
    ...unlessEmpty('token_exchange_requested_token_types_supported', requestedTokenTypes([...accessTokenManagers])),
  }
}

// RFC 8414 §3.2: a list without elements is left out.
function unlessEmpty(name: string, list: readonly string[]) {
  return list.length > 0 ? { [name]: list } : {}
}

function forEndpoint(name: string, methods: readonly string[]) {
  return {
    [`${name}_endpoint_auth_methods_supported`]: methods,
    [`${name}_endpoint_auth_signing_alg_values_supported`]: signatureAlgorithms,
  }
}

function subjectTokenTypes(policies: Iterable<ProcessorPolicy>): string[] {
  return [...new Set([...policies].flatMap(policy => policy.mappings.map(mapping => mapping.subjectTokenType)))].sort()
}

function requestedTokenTypes(managers: readonly AccessTokenManager[]): string[] {
  const makesJwts = managers.some(manager => manager.type === 'jwt')
  return [...(managers.length > 0 ? [tokenTypes.accessToken] : []), ...(makesJwts ? [tokenTypes.jwt] : [])]
}

function signatureAlgorithmsOf(keys: readonly SigningKey[]): string[] {
  const used = [...new Set(keys.map(key => key.algorithm))]
  return used.length > 0 ? used : ['ES256']
}
