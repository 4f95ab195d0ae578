import { readFileSync } from 'node:fs'
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { type Algorithm, type BenchClient, foreignKeySet, names, privateKey } from './material.ts'

// (b) oidc-provider with a custom token exchange grant that does the same work, as its documentation shows: jose, keys made once.
// It writes no audit record and validates no contract, and its reference tokens live in memory.

const [folder = '', port = '0', clientsFile = ''] = process.argv.slice(2)
const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const clients = JSON.parse(readFileSync(clientsFile, 'utf8')) as BenchClient[]
const foreignKeys = createLocalJWKSet(foreignKeySet(folder) as JSONWebKeySet)

const provider = new Provider(names.server, {
  clients: clients.map(({ id, secret }) => ({
    client_id: id,
    client_secret: secret,
    grant_types: [grantType],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
  })),
  jwks: { keys: (['ES256', 'RS256'] as const).map(signingJwk) },
  scopes: [...names.scopes],
  features: { devInteractions: { enabled: false }, introspection: { enabled: true } },
  ttl: { AccessToken: 600 },
  extraTokenClaims: ctx => ctx.state.mapped,
})

const resourceServers = new Map(
  (['ES256', 'RS256', 'reference'] as const).map(outbound => [names.resourceOf(outbound), resourceServer(outbound)]),
)

provider.registerGrantType(
  grantType,
  async ctx => {
    const { client, params } = ctx.oidc
    if (client === undefined || params === undefined) throw new errors.InvalidClient('no client')
    const resource = resourceServers.get(String(params.resource))
    if (resource === undefined) throw new errors.InvalidTarget()
    const subject = await prove(String(params.subject_token))
    const scope = grantScope(String(params.scope), String(subject.scope))
    const token = new provider.AccessToken({ client, accountId: String(subject.sub), scope, gty: grantType, grantId: '' })
    ctx.state.mapped = mapped(subject)
    token.resourceServer = new provider.ResourceServer(String(params.resource), resource)
    answer(ctx, await token.save(), scope)
  },
  ['subject_token', 'subject_token_type', 'resource', 'scope', 'requested_token_type', 'audience'],
  ['resource', 'audience'],
)

provider.listen(Number(port), '127.0.0.1', () => process.send?.('listening'))
process.on('disconnect', () => process.exit())

async function prove(token: string): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, foreignKeys, {
    ...{ issuer: names.foreignIssuer, audience: names.server, algorithms: ['ES256', 'RS256'], typ: 'JWT', clockTolerance: 30 },
    requiredClaims: ['sub', 'exp', 'email', 'groups'],
  }).catch(() => {
    throw new errors.InvalidRequest('the subject token is refused')
  })
  if (payload.email_verified !== true) throw new errors.InvalidRequest('the e-mail address is not verified')
  return payload
}

function mapped({ email, groups }: JWTPayload) {
  return { email, groups: (groups as string[]).filter(group => group.startsWith('app-')) }
}

function grantScope(requested: string, carried: string): string {
  const available = carried.split(' ')
  if (requested.split(' ').some(scope => !available.includes(scope))) throw new errors.InvalidScope('not available', requested)
  return requested
}

function answer(ctx: KoaContextWithOIDC, token: string, scope: string): void {
  ctx.body = {
    access_token: token,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 600,
    scope,
  }
}

function resourceServer(outbound: Algorithm | 'reference') {
  const common = { scope: names.scopes.join(' '), audience: names.resourceOf(outbound), accessTokenTTL: 600 }
  if (outbound === 'reference') return { ...common, accessTokenFormat: 'opaque' as const }
  return { ...common, accessTokenFormat: 'jwt' as const, jwt: { sign: { alg: outbound, kid: `own-${outbound}` } } }
}

function signingJwk(alg: Algorithm) {
  const key = privateKey(folder, 'own', alg)
  return { ...key.export({ format: 'jwk' }), kid: `own-${alg}`, alg, use: 'sig' }
}
