import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { TokenRejected } from '../oauth/errors.ts'
import type { Authentication, Proof } from './processor.ts'

/** How the claims of one processor are read. */
export interface ClaimRules {
  /** Claims that must be there, beside `iss` and `sub`. */
  readonly required: readonly string[]
  /** The claim that has the scope when `scope` is not there; Microsoft and Okta have `scp`. */
  readonly scopeClaim?: string
  /** What further schemas say against the claims. */
  readonly problem: (claims: JsonObject) => string | undefined
}

// A time in milliseconds instead of seconds would be some 50,000 years ahead.
const latestTime = 253_402_300_799
const times = ['exp', 'nbf', 'iat', 'auth_time']
const texts = ['jti', 'client_id', 'azp', 'acr']

/**
 * Checks the types of the registered claims (RFC 7519 §4.1, RFC 8693 §4, RFC 9068 §2.2) and states them as facts about a token that
 * `issuer` is known to have made. What expressions read has `aud` as a list and `scope` as a string, however the token spells them.
 */
export function readClaims(issuer: string, claims: JsonObject, rules: ClaimRules): Proof {
  checkTypes(claims)
  const missing = rules.required.find(name => claims[name] === undefined || claims[name] === null)
  if (missing !== undefined) throw new TokenRejected(`the token has no ${describable(missing)}`, { member: 'requiredClaims' })
  const problem = rules.problem(claims)
  if (problem !== undefined)
    throw new TokenRejected(`the claims of the token are not acceptable: ${describable(problem)}`, { member: 'claims' })
  const audiences = audiencesOf(claims.aud)
  const scope = scopeOf(claims.scope === undefined ? claims[rules.scopeClaim ?? 'scope'] : claims.scope)
  const attributes: Record<string, JsonValue | undefined> = { ...claims, iss: issuer }
  if (claims.aud !== undefined) attributes.aud = audiences
  if (scope !== undefined) attributes.scope = scope.join(' ')
  return factsOf(issuer, claims, audiences, scope, attributes)
}

function factsOf(
  issuer: string,
  claims: JsonObject,
  audiences: readonly string[],
  scope: readonly string[] | undefined,
  attributes: JsonObject,
): Proof {
  const proof: { -readonly [Member in keyof Proof]: Proof[Member] } = { issuer, subject: subjectOf(claims), audiences, attributes }
  if (claims.exp !== undefined) proof.expiresAt = claims.exp as number
  if (claims.nbf !== undefined) proof.notBefore = claims.nbf as number
  if (claims.iat !== undefined) proof.issuedAt = claims.iat as number
  if (claims.jti !== undefined) proof.id = claims.jti as string
  if (scope !== undefined) proof.scope = scope
  if (claims.cnf !== undefined) proof.confirmation = claims.cnf as JsonObject
  if (claims.act !== undefined) proof.act = claims.act
  if (claims.may_act !== undefined) proof.mayAct = claims.may_act
  const authentication = authenticationOf(claims)
  if (authentication !== undefined) proof.authentication = authentication
  return proof
}

/** What the token tells of how its subject authenticated (OpenID Connect Core §2); undefined when nothing. */
export function authenticationOf({ auth_time, acr, amr }: JsonObject): Authentication | undefined {
  if (auth_time === undefined && acr === undefined && amr === undefined) return undefined
  return {
    ...(typeof auth_time === 'number' && { instant: auth_time }),
    ...(typeof acr === 'string' && { contextClass: acr }),
    ...(isTextList(amr) && { methods: amr }),
  }
}

function checkTypes(claims: JsonObject): void {
  for (const name of times) {
    if (claims[name] !== undefined && !isTime(claims[name]))
      throw new TokenRejected(`${name} of the token is not a number of seconds since 1970`)
  }
  for (const name of texts) {
    if (claims[name] !== undefined && !isText(claims[name])) throw new TokenRejected(`${name} of the token is not a string`)
  }
  // A confirmation that is not understood must not make a bound token pass for a bearer token (RFC 7800 §3.1).
  if (claims.cnf !== undefined && !isJsonObject(claims.cnf)) throw new TokenRejected('cnf of the token is not an object')
  if (claims.amr !== undefined && !isTextList(claims.amr)) throw new TokenRejected('amr of the token is not a list of strings')
}

function isTime(value: JsonValue | undefined): boolean {
  return typeof value === 'number' && value >= 0 && value <= latestTime
}

// A lone surrogate becomes U+FFFD wherever the text is written as UTF-8, so that two names would turn into one.
function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '' && !/\p{Surrogate}/u.test(value)
}

function isTextList(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every(isText)
}

function subjectOf({ sub }: JsonObject): string {
  if (sub === undefined) throw new TokenRejected('the token has no sub')
  if (!isText(sub)) throw new TokenRejected('sub of the token is not a string')
  return sub
}

function audiencesOf(aud: JsonValue | undefined): readonly string[] {
  if (aud === undefined) return []
  if (isText(aud)) return [aud]
  if (isTextList(aud)) return aud
  throw new TokenRejected('aud of the token is neither a string nor a list of strings')
}

/** Scope values are separated by one space (RFC 6749 §3.3); some servers send a list instead. */
function scopeOf(scope: JsonValue | undefined): readonly string[] | undefined {
  if (scope === undefined) return undefined
  if (typeof scope === 'string') return scope.split(' ').filter(value => value !== '')
  if (isTextList(scope) && !scope.some(value => value.includes(' '))) return scope
  throw new TokenRejected('the scope of the token is neither a string nor a list of strings')
}

/** A text that may stand in `error_description`: RFC 6749 §5.2 has no double quote, no backslash and ASCII only. */
export function describable(text: string): string {
  return text.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/g, '?')
}

const text = { type: 'string' }
const time = { type: 'number' }
const object = { type: 'object' }
const textList = { type: 'array', items: text }

/** The claims whose meaning and type are known without any schema, as `readClaims` leaves them. */
export const registeredClaims: JsonObject = {
  ...{ iss: text, sub: text, aud: textList, exp: time, nbf: time, iat: time, jti: text, scope: text, client_id: text, azp: text },
  ...{ act: object, may_act: object, cnf: object, auth_time: time, acr: text, amr: textList },
}

/** The schema of what expressions may read: that of the claims, with the registered claims as they are checked here. */
export function attributeSchema(schemas: readonly JsonObject[], required: readonly string[]): JsonObject | undefined {
  if (schemas.length === 0) return undefined
  const requiredOfSchemas = schemas.flatMap(schema => (Array.isArray(schema.required) ? (schema.required as string[]) : []))
  return {
    ...Object.assign({}, ...schemas),
    type: 'object',
    required: [...new Set(['iss', 'sub', ...required, ...requiredOfSchemas])],
    properties: withRegistered(Object.assign({}, ...schemas.map(schema => schema.properties ?? {})) as JsonObject),
  }
}

// What a file says of a registered claim holds beside its type, which is known.
function withRegistered(properties: JsonObject): JsonObject {
  const registered = Object.entries(registeredClaims).map(([name, schema]) => [
    name,
    { ...(properties[name] as object), ...(schema as object) },
  ])
  return { ...properties, ...Object.fromEntries(registered) }
}
