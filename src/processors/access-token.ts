import { isDeepStrictEqual } from 'node:util'
import type { AccessToken, AccessTokenManager } from '../access-tokens/access-token-manager.ts'
import { distinct, reference, scopeName } from '../config/values.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { TokenRejected } from '../oauth/errors.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { Instant } from '../outside.ts'
import { pluginKind } from '../plugin.ts'
import { contractSchema } from '../policies/contract.ts'
import { type AssumedToken, AssumptionMistake, assumedClaims } from './assumed.ts'
import { authenticationOf, registeredClaims } from './claims.ts'
import { limitSettings, limitsOf } from './common-settings.ts'
import type { Proof, TokenProcessor } from './processor.ts'

const shape = {
  ...limitSettings,
  accessTokenManagers: distinct(reference('access-token-managers')).min(1).meta({ description: 'The managers whose tokens it takes' }),
  requiredScopes: distinct(scopeName).default([]).meta({ description: 'Scopes that a token must have' }),
}

const always = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id']

/** An access token of this server, JWT or reference (`…:access_token` and `…:jwt` alike). */
export const accessToken = pluginKind('access-token', shape, (settings, parts): TokenProcessor => {
  const managers = settings.accessTokenManagers.map(parts.accessTokenManager)
  const requiredScopes = settings.requiredScopes.map(({ name }) => name)
  return {
    id: parts.id,
    limits: limitsOf(settings),
    issuers: [parts.issuer],
    origin: 'own',
    wellKnownTypes: [tokenTypes.accessToken, tokenTypes.jwt],
    audiences: undefined,
    attributes: attributesOf(managers),
    async process(token, { now }) {
      return acceptedProof(await readByOneOf(managers, token, now), requiredScopes)
    },
    assume(token) {
      return acceptedProof(assumedAccessToken(token, parts.issuer, managers), requiredScopes)
    },
  }
})

function acceptedProof(read: AccessToken | undefined, requiredScopes: readonly string[]): Proof {
  if (read === undefined)
    throw new TokenRejected('it is no access token of this server that is valid now', { member: 'accessTokenManagers' })
  const missing = requiredScopes.filter(scope => !read.scope.includes(scope))
  if (missing.length > 0) throw new TokenRejected(`it lacks the scope ${missing.join(' ')}`, { member: 'requiredScopes' })
  return proofOf(read)
}

/** The token of a policy test: beside the claims, it may say which of the managers made it. */
function assumedAccessToken(
  { says, ...usual }: AssumedToken,
  issuer: string,
  managers: readonly AccessTokenManager[],
): AccessToken | undefined {
  const { accessTokenManager: named = managers[0]?.id, ...said } = says
  const manager = managers.find(({ id }) => id === named)
  if (manager === undefined) return undefined
  for (const name of ['sub', 'client_id']) {
    if (said[name] === undefined) throw new AssumptionMistake([name], 'is missing: every access token of this server has it')
  }
  const audiences = manager.audienceFor([])
  const claims = assumedClaims(
    { says: { aud: audiences, ...said }, ...usual },
    { issuers: [issuer], limits: { clockSkew: 0, once: false, maxLifetime: manager.lifetime } },
  )
  return manager.assume(claims, usual.now)
}

/** Reads an access token by the one manager that made it. */
export async function readByOneOf(managers: Iterable<AccessTokenManager>, token: string, now: Instant): Promise<AccessToken | undefined> {
  for (const manager of managers) {
    const read = await manager.read(token, now)
    if (read !== undefined) return read
  }
  return undefined
}

function proofOf(token: AccessToken): Proof {
  const { claims } = token
  const authentication = authenticationOf(claims)
  return {
    issuer: token.issuer,
    subject: token.subject,
    audiences: token.audiences,
    expiresAt: token.expiresAt,
    issuedAt: token.issuedAt,
    id: token.id,
    clientId: token.clientId,
    scope: token.scope,
    ancestors: token.ancestors,
    attributes: claims,
    ...(authentication !== undefined && { authentication }),
    ...(isJsonObject(claims.cnf) && { confirmation: claims.cnf }),
    ...(claims.act !== undefined && { act: claims.act }),
    ...(claims.may_act !== undefined && { mayAct: claims.may_act }),
  }
}

// What a single manager puts into its tokens is known from its contract; of several, only what all of them share is sure.
function attributesOf(managers: readonly AccessTokenManager[]): JsonObject {
  const contracts = managers.map(manager => contractSchema(manager.contract.attributes))
  const names = new Set(managers.flatMap(manager => Object.keys(manager.contract.attributes)))
  const required = [...names].filter(name => contracts.every(contract => contract.required.includes(name)))
  const typeOf = (name: string) =>
    contracts.every(contract => isDeepStrictEqual(contract.properties[name], contracts[0]?.properties[name]))
      ? (contracts[0]?.properties[name] ?? {})
      : {}
  const properties = Object.fromEntries([...names].map(name => [name, typeOf(name)]))
  return { type: 'object', required: [...always, ...required], properties: { ...registeredClaims, ...properties } }
}
