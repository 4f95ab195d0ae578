import { demandedOf, sessionWords, tagKeysOf, tagPrefix, transitiveProblem } from '../aws/session.ts'
import type { Path } from '../config/problems.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Parts } from '../plugin.ts'
import type { Contract } from '../policies/processor-policy.ts'
import type { RoleRequest } from './token-generator.ts'

/** For whom a JWT is made, where that is somebody with rules of his own. */
export const jwtPresets = ['aws-web-identity', 'aws-identity-center'] as const
export type JwtPreset = (typeof jwtPresets)[number]

// AW-20.
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
// AW-22.
const longestToken = 20_000
const tagsClaim = 'https://aws.amazon.com/tags'
const sourceIdentityClaim = 'https://aws.amazon.com/source_identity'
const sessionAttributes: readonly string[] = [sessionWords.sourceIdentity, sessionWords.transitiveTags, tagPrefix]

interface Presented {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly algorithm: string
}

/** Reports what AWS would not take of an issuer's tokens, whatever stands in them (AW-19 to AW-21, AW-40). */
export function reportToAws({ issuer, audiences, algorithm }: Presented, parts: Parts): void {
  if (!isPublicIssuer(issuer)) parts.problem(['issuer'], `AWS takes an https URL without port and query: not ${issuer}`)
  if (!algorithms.includes(algorithm)) parts.problem(['signingKey'], `AWS verifies ${algorithms.join(', ')}, and not ${algorithm}`)
  if (audiences.some(audience => audience.length > 255)) parts.problem(['audience'], 'AWS takes audiences of at most 255 characters')
}

function isPublicIssuer(issuer: string): boolean {
  if (!/^https:\/\/[^?#]+$/.test(issuer) || !URL.canParse(issuer)) return false
  const { port, username, password, host } = new URL(issuer)
  return port === '' && username === '' && password === '' && issuer.startsWith(`https://${host}`)
}

/** The contract of a JWT for AWS: claims as always, and for a session of a role its tags and source identity in AWS's words (AW-23). */
export function contractForAws(preset: JwtPreset, contract: Readonly<Record<string, JsonObject>>, parts: Parts, path: Path) {
  // AWS compares azp with the audiences that it knows, and then does not look at aud (AW-21).
  if (Object.hasOwn(contract, 'azp')) parts.problem([...path, 'azp'], 'AWS would take azp for the audience')
  for (const claim of [tagsClaim, sourceIdentityClaim]) {
    if (Object.hasOwn(contract, claim))
      parts.problem([...path, claim], `is written from "${tagPrefix}<key>", "TransitiveTagKeys" and "SourceIdentity"`)
  }
  const { sub = {} } = contract
  const named = { ...contract, sub: { ...sub, allOf: [...listOf(sub.allOf), { minLength: 1, maxLength: 255 }] } }
  if (preset === 'aws-identity-center') return named
  const isOfSession = (name: string) => sessionAttributes.includes(name) || name.startsWith(tagPrefix)
  const entries = Object.entries(named)
  const session = Object.fromEntries(entries.filter(([name]) => isOfSession(name)))
  return { ...Object.fromEntries(entries.filter(([name]) => !isOfSession(name))), ...demandedOf(session, sessionAttributes, parts, path) }
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : []
}

/** The same contract, which also refuses transitive tags that the session does not have. */
export function withTransitiveTags(contract: Contract): Contract {
  return {
    ...contract,
    problem(values) {
      const problem = contract.problem(values)
      const keys = values[sessionWords.transitiveTags]
      const message = problem === undefined && Array.isArray(keys) ? transitiveProblem(keys as string[], values) : undefined
      return message === undefined ? problem : { attribute: sessionWords.transitiveTags, message }
    },
  }
}

/** Mapped attributes as claims: what is said of the session goes into the two claims that AWS reads (AW-23). */
export function claimsForAws(attributes: JsonObject): JsonObject {
  const { [sessionWords.sourceIdentity]: sourceIdentity, [sessionWords.transitiveTags]: transitive, ...others } = attributes
  const keys = tagKeysOf(others)
  const claims = Object.fromEntries(Object.entries(others).filter(([name]) => !name.startsWith(tagPrefix)))
  // AWS reads lists of one.
  const tags = {
    principal_tags: Object.fromEntries(keys.map(key => [key, [others[tagPrefix + key] ?? '']])),
    ...(Array.isArray(transitive) && transitive.length > 0 && { transitive_tag_keys: transitive }),
  }
  return {
    ...claims,
    ...(keys.length > 0 && { [tagsClaim]: tags }),
    ...(typeof sourceIdentity === 'string' && { [sourceIdentityClaim]: sourceIdentity }),
  }
}

/** The token, unless AWS would not take it for its length. */
export function withinLimit(token: string): string {
  if (token.length <= longestToken) return token
  throw new OAuthError('contract-not-met', `the token would be longer than the ${longestToken} characters that AWS takes`)
}

/** How AWS is asked for a role with such a token. */
export const webIdentityRequest: RoleRequest = {
  action: 'AssumeRoleWithWebIdentity',
  partition: undefined,
  parametersOf: WebIdentityToken => ({ WebIdentityToken }),
}
