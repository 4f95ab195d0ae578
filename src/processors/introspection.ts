import { createHash } from 'node:crypto'
import { z } from 'zod'
import { duration, exactName, externalText, webAddress } from '../config/values.ts'
import { type JsonObject, parseOutsidersObject } from '../json.ts'
import { addressProblem } from '../keys/addresses.ts'
import { longestToken } from '../keys/compact-jws.ts'
import type { GuardedFetch } from '../keys/guarded-fetch.ts'
import { Outage, TokenRejected } from '../oauth/errors.ts'
import { typesWithoutSaml } from '../oauth/token-types.ts'
import type { Outside } from '../outside.ts'
import { type Parts, pluginKind } from '../plugin.ts'
import { type AssumedToken, assumedClaims } from './assumed.ts'
import { reportClaimTypes } from './claim-types.ts'
import { attributeSchema, type ClaimRules, readClaims } from './claims.ts'
import { foreignSettings, limitsOf } from './common-settings.ts'
import type { Proof, TokenProcessor } from './processor.ts'
import { ProofCache } from './proof-cache.ts'

const shape = {
  issuer: exactName.meta({ description: 'Whose tokens these are; where the answer has iss, it must be this' }),
  endpoint: webAddress.meta({ description: 'The introspection endpoint of that server' }),
  clientId: z.string().min(1).meta({ description: 'As what this server authenticates there (client_secret_basic)' }),
  clientSecret: externalText,
  cache: duration
    .refine(seconds => seconds <= 3_600, 'must be at most "1h"')
    .default(0)
    .meta({ description: 'How long an answer is believed; a revocation is seen that much later (default "0s": it is asked every time)' }),
  allowPrivateNetwork: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the endpoint may be at a private or loopback address, there also by plain http' }),
  ...foreignSettings,
}

/** An opaque token of another server, which is asked about it (RFC 7662). */
export const introspection = pluginKind('introspection', shape, (settings, parts): TokenProcessor => {
  reportProblems(settings, parts)
  const schemas = settings.claims === undefined ? [] : [settings.claims]
  const required = [...settings.requiredClaims, ...(settings.expiry === 'required' ? ['exp'] : [])]
  const claims = settings.claims === undefined ? undefined : parts.jsonSchema(settings.claims, ['claims'])
  if (settings.claims !== undefined) reportClaimTypes(settings.claims, parts, ['claims'])
  const processor = new IntrospectionProcessor({
    id: parts.id,
    issuers: [settings.issuer],
    limits: limitsOf(settings),
    audiences: settings.audiences,
    attributes: attributeSchema(schemas, required),
    endpoint: settings.endpoint,
    authorization: basic(settings.clientId, parts.text(settings.clientSecret)),
    allowPrivateNetwork: settings.allowPrivateNetwork,
    proofs: proofsOf(settings, parts),
    rules: { required, problem: values => claims?.problem(values) },
    outside: parts.outside,
  })
  const made = `made-up-by-cambist-check-${parts.id}`
  parts.probe({ path: ['endpoint'], what: 'the introspection endpoint', run: () => processor.tryOut(made) })
  return processor
})

function reportProblems(settings: z.output<z.ZodObject<typeof shape>>, parts: Parts): void {
  const problem = addressProblem(settings.endpoint, settings.allowPrivateNetwork)
  if (problem !== undefined) parts.problem(['endpoint'], problem)
  if (settings.issuer === parts.issuer) {
    parts.problem(['issuer'], 'this is the issuer of this server: its own tokens come in by a processor of type "access-token"')
  }
  if (settings.allowPrivateNetwork)
    parts.warn('private-network', ['allowPrivateNetwork'], 'the endpoint may be at an address of a private network')
  if (settings.expiry === 'optional')
    parts.warn('no-expiry', ['expiry'], 'tokens without exp are taken; they bound the lifetime of nothing')
}

// What was proved under other settings, or as another client, proves nothing under these.
function proofsOf(settings: z.output<z.ZodObject<typeof shape>>, { kept, outside, text, issuer }: Parts): ProofCache {
  const { now } = outside
  const secret = createHash('sha256').update(text(settings.clientSecret)).digest('base64')
  return kept.of(['introspection', issuer, JSON.stringify(settings), secret], () => new ProofCache(settings.cache, now))
}

/** RFC 6749 §2.3.1: both halves are form-encoded first. */
function basic(clientId: string, secret: string): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString('base64')}`
}

interface IntrospectionParts extends Pick<TokenProcessor, 'id' | 'issuers' | 'limits' | 'audiences' | 'attributes'> {
  readonly endpoint: string
  readonly authorization: string
  readonly allowPrivateNetwork: boolean
  readonly proofs: ProofCache
  readonly rules: ClaimRules
  readonly outside: Outside
}

class IntrospectionProcessor implements TokenProcessor {
  readonly id: string
  readonly limits: TokenProcessor['limits']
  readonly issuers: readonly string[]
  readonly origin = 'foreign'
  readonly wellKnownTypes = typesWithoutSaml
  readonly audiences: readonly string[] | undefined
  readonly attributes: JsonObject | undefined
  readonly #parts: IntrospectionParts
  readonly #proofs: ProofCache

  constructor(parts: IntrospectionParts) {
    this.id = parts.id
    this.limits = parts.limits
    this.issuers = parts.issuers
    this.audiences = parts.audiences
    this.attributes = parts.attributes
    this.#parts = parts
    this.#proofs = parts.proofs
  }

  async process(token: string): Promise<Proof> {
    if (token.length > longestToken) throw new TokenRejected(`the token is longer than ${longestToken} characters`)
    // RFC 6749 appendix A.12.
    if (!/^[\x20-\x7e]+$/.test(token)) throw new TokenRejected('the token has characters that no access token has')
    // The token itself is not kept in memory longer than the call takes.
    const digest = createHash('sha256').update(token).digest('base64')
    return await this.#proofs.get(digest, async () => this.#prove(await this.#ask(token)))
  }

  assume(token: AssumedToken): Proof {
    return this.#prove({ active: true, ...assumedClaims(token, this, this.#parts.rules.required) })
  }

  /** Asks about a token that nobody has issued, which shows whether the endpoint is there and takes our credentials. */
  async tryOut(madeUp: string): Promise<string> {
    const { active } = await this.#introspect(madeUp)
    if (active === true) throw new Error('it says that a made-up token is active')
    return 'it answers, and knows us'
  }

  async #ask(token: string): Promise<JsonObject> {
    try {
      return await this.#introspect(token)
    } catch (error) {
      this.#parts.outside.log.warn({ err: error, processor: this.id }, 'a token could not be introspected')
      throw new Outage('the server that issued the token cannot be asked about it now', error)
    }
  }

  async #introspect(token: string): Promise<JsonObject> {
    const { endpoint, authorization, allowPrivateNetwork, outside } = this.#parts
    const fetch: GuardedFetch = outside.fetch
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      allowPrivateNetwork,
    })
    // A refusal (401) is about our credentials or our request, never about the token (RFC 7662 §2.3).
    const claims = answer.status === 200 ? parseOutsidersObject(await answer.text()) : undefined
    if (typeof claims?.active !== 'boolean') throw new Error(`${endpoint} answered ${answer.status}, which is no introspection answer`)
    return claims
  }

  #prove(claims: JsonObject): Proof {
    if (claims.active !== true) throw new TokenRejected('the token is not active')
    const [issuer = ''] = this.issuers
    if (claims.iss !== undefined && claims.iss !== issuer)
      throw new TokenRejected('the issuer of the token is not accepted here', { member: 'issuer' })
    const proof = readClaims(issuer, claims, this.#parts.rules)
    requireKeyNamed(claims, proof)
    return proof
  }
}

// RFC 9449 §6.2: whoever says that a token is bound and not to which key leaves it to everybody.
function requireKeyNamed({ token_type }: JsonObject, { confirmation }: Proof): void {
  if (typeof token_type === 'string' && token_type.toLowerCase() === 'dpop' && confirmation === undefined)
    throw new TokenRejected('the token is bound to a key (token_type), and its server does not say to which (cnf)')
}
