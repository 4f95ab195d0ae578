import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, type JSONWebKeySet, jwtVerify } from 'jose'
import type { Federated, OidcProvider } from './iam.ts'
import { demand, Refusal } from './refusal.ts'

/** Fetches a public document; AWS does so over the internet, a test from the server under test. */
export type ReadDocument = (url: string) => Promise<string>

const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
const tagsClaim = 'https://aws.amazon.com/tags'

/** Judges the token of `AssumeRoleWithWebIdentity` as AWS does (AW-19 to AW-24): its issuer's documents are read first. */
export async function judgeWebIdentity(
  token: string,
  sessionName: string,
  providers: readonly OidcProvider[],
  now: number,
  read: ReadDocument,
) {
  demand(token.length >= 4 && token.length <= 20_000, 'ValidationError', 'webIdentityToken has a length that is not allowed')
  demand(/^[\w+=,.@-]{2,64}$/.test(sessionName), 'ValidationError', 'roleSessionName must match [\\w+=,.@-]*')
  const { iss = '' } = decodeJwt(token)
  const provider = providers.find(({ issuer }) => issuer === iss)
  demand(provider !== undefined, 'InvalidIdentityToken', 'No OpenIDConnect provider found in your account for this issuer')
  const { kid, alg } = decodeProtectedHeader(token)
  demand(
    kid !== undefined && algorithms.includes(alg ?? ''),
    'InvalidIdentityToken',
    'The algorithm or the key of the token is not supported',
  )
  const claims = await verified(token, await keysOf(provider, read), now)
  demand(typeof claims.sub === 'string' && claims.sub.length <= 255, 'InvalidIdentityToken', 'Missing or long sub')
  for (const name of ['iat', 'exp'] as const) demand(Number.isInteger(claims[name]), 'InvalidIdentityToken', `${name} must be an integer`)
  const audiences = claims.azp === undefined ? [claims.aud].flat() : [claims.azp]
  const audience = audiences.find(each => provider.clientIds.includes(String(each)))
  demand(audience !== undefined, 'InvalidIdentityToken', 'Incorrect token audience')
  const answer = { SubjectFromWebIdentityToken: claims.sub, Audience: String(audience), Provider: provider.arn }
  return { provider, federated: { ...sessionOf(claims), sessionName, answer } satisfies Federated }
}

async function keysOf({ issuer }: OidcProvider, read: ReadDocument): Promise<JSONWebKeySet> {
  demand(/^https:\/\/[^:?#]+$/.test(issuer), 'InvalidIdentityToken', 'The issuer is no https URL without port and query')
  const configuration = await document(`${issuer}/.well-known/openid-configuration`, read)
  demand(configuration.issuer === issuer, 'InvalidIdentityToken', 'The issuer of the document is another one')
  const needed = [
    'jwks_uri',
    'response_types_supported',
    'subject_types_supported',
    'id_token_signing_alg_values_supported',
    'claims_supported',
  ]
  for (const member of needed) demand(member in configuration, 'InvalidIdentityToken', `The document has no ${member}`)
  return (await document(String(configuration.jwks_uri), read)) as unknown as JSONWebKeySet
}

async function document(url: string, read: ReadDocument): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await read(url))
  } catch {
    throw new Refusal('IDPCommunicationError', "Couldn't retrieve verification key from your identity provider")
  }
}

async function verified(token: string, keys: JSONWebKeySet, now: number): Promise<Record<string, unknown>> {
  try {
    const options = { currentDate: new Date(now * 1000), clockTolerance: 300, algorithms }
    return (await jwtVerify(token, createLocalJWKSet(keys), options)).payload
  } catch (error) {
    const isExpired = error instanceof errors.JWTExpired
    throw new Refusal(isExpired ? 'ExpiredTokenException' : 'InvalidIdentityToken', isExpired ? 'Token expired' : 'Token signature invalid')
  }
}

// AW-23: every value is a list of one.
function sessionOf(claims: Record<string, unknown>): Pick<Federated, 'tags' | 'transitiveTagKeys' | 'sourceIdentity'> {
  const tags = claims[tagsClaim] as { principal_tags?: Record<string, unknown>; transitive_tag_keys?: string[] } | undefined
  const entries = Object.entries(tags?.principal_tags ?? {}).map(([key, value]) => {
    demand(Array.isArray(value) && value.length === 1, 'InvalidIdentityToken', 'A principal tag must be a list of one value')
    return [key, String(value[0])] as const
  })
  const sourceIdentity = claims['https://aws.amazon.com/source_identity']
  return {
    tags: Object.fromEntries(entries),
    transitiveTagKeys: tags?.transitive_tag_keys ?? [],
    sourceIdentity: typeof sourceIdentity === 'string' ? sourceIdentity : undefined,
  }
}
