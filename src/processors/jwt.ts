import { z } from 'zod'
import { distinct, exactName, reference, strict } from '../config/values.ts'
import type { JsonObject } from '../json.ts'
import { decryptCompactJwe, isCompactJwe } from '../keys/compact-jwe.ts'
import { type CompactJws, CompactJwsReader, decodeJsonObject, mediaType } from '../keys/compact-jws.ts'
import type { DecryptionKey } from '../keys/decryption-key.ts'
import { keySourceShape, namesOneSource, oneSourceMessage, openKeySource } from '../keys/key-source.ts'
import type { IssuerKeys } from '../keys/remote-keys.ts'
import { signatureAlgorithms } from '../keys/signing-key.ts'
import { TokenRejected } from '../oauth/errors.ts'
import { typesWithoutSaml } from '../oauth/token-types.ts'
import { type Parts, pluginKind } from '../plugin.ts'
import { type AssumedToken, assumedClaims } from './assumed.ts'
import { reportClaimTypes } from './claim-types.ts'
import { attributeSchema, type ClaimRules, readClaims } from './claims.ts'
import { foreignSettings, limitsOf } from './common-settings.ts'
import { type PresetName, presets } from './presets/index.ts'
import type { Preset, PresetFacts } from './presets/preset.ts'
import { checkIssuerForm, tighten } from './presets/tighten.ts'
import type { Proof, TokenProcessor } from './processor.ts'

const issuerSettings = strict({
  issuer: exactName.meta({ description: 'Exactly what iss must be' }),
  ...keySourceShape,
}).refine(namesOneSource, oneSourceMessage)
type IssuerSettings = z.output<typeof issuerSettings>

const typeOfToken = z
  .string()
  .min(1)
  .transform(mediaType)
  // RFC 9701 §8.1: it has the claims of a token, and whoever may introspect gets one.
  .refine(type => type !== 'token-introspection+jwt', 'is what answers of introspection are, which are no tokens')

const shape = {
  preset: z
    .enum(Object.keys(presets) as PresetName[])
    .optional()
    .meta({ description: 'Whose tokens these are; pins what is known of them, and the rest of the file can only tighten it' }),
  issuers: z.array(issuerSettings).min(1).optional().meta({ description: 'Whose tokens are taken, each with the keys of its own' }),
  algorithms: distinct(z.enum(signatureAlgorithms))
    .min(1)
    .optional()
    .meta({ description: 'Accepted signature algorithms; a key without "alg" is used with the first that fits it' }),
  typ: distinct(typeOfToken)
    .min(1)
    .optional()
    .meta({ description: 'Accepted values of typ; "jwt" also stands for none (default: "jwt", "at+jwt")' }),
  decryptionKeys: distinct(reference('keys')).min(1).optional().meta({ description: 'Keys that encrypted tokens are decrypted with' }),
  ...foreignSettings,
}
type JwtSettings = z.output<z.ZodObject<typeof shape>>

/** A signed, or signed and then encrypted, JWT of somebody else (RFC 7519, RFC 8725, RFC 9068). */
export const jwt = pluginKind('jwt', shape, (settings, parts): TokenProcessor => {
  const rules = tighten({ ...settings, types: settings.typ }, parts)
  const schemas = [rules.preset?.claims, settings.claims, rules.preset?.facts?.schema].filter(schema => schema !== undefined)
  const required = [...rules.requiredClaims, ...(settings.expiry === 'required' ? ['exp'] : [])]
  if (settings.expiry === 'optional')
    parts.warn('no-expiry', ['expiry'], 'tokens without exp are taken; they bound the lifetime of nothing')
  const issuers = openIssuers(settings, rules, parts)
  return new JwtProcessor({
    id: parts.id,
    limits: limitsOf({ ...settings, maxLifetime: rules.maxLifetime }),
    audiences: settings.audiences,
    attributes: attributeSchema(schemas, required),
    keys: issuers,
    issuerOf: rules.preset?.issuerOf ?? issOf,
    algorithms: new Set<string>(rules.algorithms),
    types: new Set(rules.types),
    facts: rules.preset?.facts,
    decryptionKeys: (settings.decryptionKeys ?? []).flatMap((key, index) => parts.decryptionKeys(key, ['decryptionKeys', index])),
    claims: { required, scopeClaim: rules.preset?.scopeClaim ?? 'scope', problem: claimsProblem(settings.claims, rules.preset, parts) },
  })
})

function issOf({ iss }: JsonObject): string | undefined {
  return typeof iss === 'string' ? iss : undefined
}

function openIssuers(settings: JwtSettings, rules: ReturnType<typeof tighten>, parts: Parts): ReadonlyMap<string, IssuerKeys> {
  const { preset, algorithms } = rules
  const wanted = { algorithms, uses: preset?.keyUses ?? [] }
  const issuers = new Map<string, IssuerKeys>()
  for (const [index, source] of issuersOf(settings, preset, parts).entries()) {
    // Where the preset says whose tokens are taken, there are no "issuers" to point at.
    const path = settings.issuers === undefined ? ['preset'] : ['issuers', index]
    checkIssuer(source.issuer, issuers, parts, path)
    checkIssuerForm(source.issuer, preset, [...path, 'issuer'], parts)
    issuers.set(source.issuer, openKeySource(source.issuer, source, wanted, parts, path))
  }
  if (preset?.open === true && settings.claims === undefined) {
    parts.warn(
      'open-issuer',
      ['preset'],
      'anybody can get tokens of this issuer: say whose are taken, by "claims" here or by criteria of the policies',
    )
  }
  return issuers
}

function issuersOf({ issuers }: JwtSettings, preset: Preset | undefined, parts: Parts): readonly IssuerSettings[] {
  if (issuers !== undefined) return issuers
  if (preset?.issuer !== undefined) return [{ issuer: preset.issuer, discovery: true, maxStale: 86_400, allowPrivateNetwork: false }]
  parts.problem(['issuers'], 'is missing: whose tokens are taken')
  return []
}

function checkIssuer(issuer: string, earlier: ReadonlyMap<string, IssuerKeys>, parts: Parts, path: readonly PropertyKey[]): void {
  if (earlier.has(issuer)) parts.problem([...path, 'issuer'], 'this issuer is named twice')
  if (issuer === parts.issuer) {
    parts.problem([...path, 'issuer'], 'this is the issuer of this server: its own tokens come in by a processor of type "access-token"')
  }
}

function claimsProblem(claims: JsonObject | undefined, preset: Preset | undefined, parts: Parts): ClaimRules['problem'] {
  const ofPreset = preset === undefined ? undefined : parts.jsonSchema(preset.claims, ['preset'])
  const ofFile = claims === undefined ? undefined : parts.jsonSchema(claims, ['claims'])
  if (claims !== undefined) reportClaimTypes(claims, parts, ['claims'])
  return values => ofPreset?.problem(values) ?? ofFile?.problem(values)
}

interface JwtProcessorParts extends Pick<TokenProcessor, 'id' | 'limits' | 'audiences' | 'attributes'> {
  /** By issuer: a key never serves another one (RFC 8725 §3.8). */
  readonly keys: ReadonlyMap<string, IssuerKeys>
  readonly issuerOf: (claims: JsonObject) => string | undefined
  readonly algorithms: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  readonly decryptionKeys: readonly DecryptionKey[]
  readonly claims: ClaimRules
  readonly facts: PresetFacts | undefined
}

class JwtProcessor implements TokenProcessor {
  readonly id: string
  readonly limits: TokenProcessor['limits']
  readonly issuers: readonly string[]
  readonly origin = 'foreign'
  readonly wellKnownTypes = typesWithoutSaml
  readonly audiences: readonly string[] | undefined
  readonly attributes: JsonObject | undefined
  readonly #parts: JwtProcessorParts
  readonly #reader = new CompactJwsReader()

  constructor(parts: JwtProcessorParts) {
    this.id = parts.id
    this.limits = parts.limits
    this.issuers = [...parts.keys.keys()]
    this.audiences = parts.audiences
    this.attributes = parts.attributes
    this.#parts = parts
  }

  async process(token: string): Promise<Proof> {
    const jws = this.#reader.read(isCompactJwe(token) ? await this.#decrypt(token) : token)
    this.#checkHeader(jws)
    const claims = decodeJsonObject(jws.encodedPayload)
    if (claims === undefined) throw new TokenRejected('the claims of the token are not a JSON object, or name a claim twice')
    const { issuer, keys } = this.#issuerOf(claims)
    const found = keys.find(jws.header.alg, jws.header.kid)
    const key = found instanceof Promise ? await found : found
    if (key === 'unknown') throw new TokenRejected('the token names no key that its issuer has for this algorithm', { member: 'issuers' })
    if (key === 'ambiguous')
      throw new TokenRejected('the issuer of the token has several keys that fit, and the token does not say which one it is', {
        member: 'issuers',
      })
    if (!key.verify(jws.signingInput, jws.signature))
      throw new TokenRejected('the signature of the token is not valid', { member: 'issuers' })
    return this.#read(issuer, claims)
  }

  assume(token: AssumedToken): Proof {
    const claims = assumedClaims(token, this, this.#parts.claims.required)
    return this.#read(this.#issuerOf(claims).issuer, claims)
  }

  #read(issuer: string, claims: JsonObject): Proof {
    const proof = readClaims(issuer, claims, this.#parts.claims)
    const { facts } = this.#parts
    return facts === undefined ? proof : { ...proof, attributes: { ...proof.attributes, ...facts.read(claims) } }
  }

  #issuerOf(claims: JsonObject): { issuer: string; keys: IssuerKeys } {
    const issuer = this.#parts.issuerOf(claims)
    const keys = this.#parts.keys.get(issuer ?? '')
    if (issuer === undefined || keys === undefined)
      throw new TokenRejected('the issuer of the token is not accepted here', { member: 'issuers' })
    return { issuer, keys }
  }

  /** RFC 8725 §3.1 and §3.11: only algorithms and explicit types that are listed. */
  #checkHeader({ header }: CompactJws): void {
    if (!this.#parts.algorithms.has(header.alg))
      throw new TokenRejected('the token is signed with an algorithm that is not accepted here', { member: 'algorithms' })
    if (!this.#parts.types.has(header.type ?? 'jwt'))
      throw new TokenRejected('the token is of a type (typ) that is not accepted here', { member: 'typ' })
  }

  #decrypt(token: string): Promise<string> {
    if (this.#parts.decryptionKeys.length === 0)
      throw new TokenRejected('the token is encrypted, and encrypted tokens are not accepted here', { member: 'decryptionKeys' })
    return decryptCompactJwe(token, this.#parts.decryptionKeys)
  }
}
