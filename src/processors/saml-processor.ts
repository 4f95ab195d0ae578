import type { KeyObject } from 'node:crypto'
import type { CompiledSchema } from '../config/json-schema.ts'
import type { JsonObject } from '../json.ts'
import { TokenRejected } from '../oauth/errors.ts'
import type { Parts } from '../plugin.ts'
import type { AssertionRules, VerifiedAssertion } from '../saml/assertion.ts'
import { assumeAssertion } from '../saml/assumed-assertion.ts'
import { decodeToken } from '../saml/base64.ts'
import { type IssuerSigners, openSigners } from '../saml/issuer-signers.ts'
import { openAssertion, type SamlVersion } from '../saml/open.ts'
import { readXml, tokenLimits } from '../saml/read.ts'
import type { VerificationKey } from '../saml/verification-key.ts'
import { UnknownSigner } from '../saml/verify.ts'
import type { AssumedToken } from './assumed.ts'
import { describable } from './claims.ts'
import { limitsOf } from './common-settings.ts'
import type { SamlPreset } from './presets/saml-preset.ts'
import { type SamlRules, tightenSaml } from './presets/tighten-saml.ts'
import type { ProcessorRequest, Proof, TokenProcessor } from './processor.ts'
import type { SamlSettings } from './saml-settings.ts'

/** What the two versions of SAML do differently. */
export interface SamlDialect {
  readonly version: SamlVersion
  /** How RFC 8693 §3 calls such assertions. */
  readonly tokenType: string
  read(assertion: VerifiedAssertion, rules: AssertionRules): Proof
  readonly preset?: SamlPreset | undefined
}

/** Builds the processor of one version of SAML from its file. */
export function buildSamlProcessor(settings: SamlSettings, parts: Parts, dialect: SamlDialect): TokenProcessor {
  const rules = tightenSaml(settings, dialect.preset, parts)
  const signers = new Map<string, IssuerSigners>()
  for (const [index, issuer] of settings.issuers.entries()) {
    if (signers.has(issuer.entityId)) parts.problem(['issuers', index, 'entityId'], 'this issuer is named twice')
    signers.set(issuer.entityId, openSigners(issuer, parts, ['issuers', index]))
  }
  return new SamlProcessor({
    id: parts.id,
    settings,
    rules,
    dialect,
    signers,
    searchable: [...signers.values()].some(({ searched }) => searched !== undefined),
    recipients: new Set(rules.recipients),
    decryptionKeys: (settings.decryptionKeys ?? []).flatMap((key, index) =>
      rsaKeys(parts.decryptionKeys(key, ['decryptionKeys', index]), parts, index),
    ),
    claims: settings.claims === undefined ? undefined : parts.jsonSchema(settings.claims, ['claims']),
  })
}

function rsaKeys(keys: ReturnType<Parts['decryptionKeys']>, parts: Parts, index: number): readonly KeyObject[] {
  const unfit = keys.find(({ privateKey }) => privateKey.asymmetricKeyType !== 'rsa')
  if (unfit !== undefined)
    parts.problem(['decryptionKeys', index], `"${unfit.id}" is not an RSA key, for which alone assertions are encrypted`)
  return keys.map(({ privateKey }) => privateKey)
}

interface SamlProcessorParts {
  readonly id: string
  readonly settings: SamlSettings
  readonly rules: SamlRules
  readonly dialect: SamlDialect
  /** By entity id: a key never serves another issuer (SC-23). */
  readonly signers: ReadonlyMap<string, IssuerSigners>
  /** Whether the keys of any issuer may have changed since they were read. */
  readonly searchable: boolean
  readonly recipients: ReadonlySet<string>
  readonly decryptionKeys: readonly KeyObject[]
  readonly claims: CompiledSchema | undefined
}

class SamlProcessor implements TokenProcessor {
  readonly id: string
  readonly limits: TokenProcessor['limits']
  readonly issuers: readonly string[]
  readonly origin = 'foreign'
  readonly wellKnownTypes: readonly string[]
  readonly form = 'assertion'
  readonly audiences: readonly string[] | undefined
  readonly attributes: JsonObject
  readonly #parts: SamlProcessorParts

  constructor(parts: SamlProcessorParts) {
    this.id = parts.id
    this.limits = limitsOf({ ...parts.settings, maxAge: parts.rules.maxAge })
    this.wellKnownTypes = [parts.dialect.tokenType]
    this.issuers = [...parts.signers.keys()]
    this.audiences = parts.rules.audiences
    this.attributes = attributeSchema(parts.settings.claims, parts.dialect.preset)
    this.#parts = parts
  }

  async process(token: string, { now, addressed = [] }: ProcessorRequest): Promise<Proof> {
    const { settings, rules, dialect } = this.#parts
    const recipients = addressed.length === 0 ? this.#parts.recipients : new Set([...this.#parts.recipients, ...addressed])
    const bytes = decodeToken(token, { maxSize: rules.maxSize, lenient: rules.lenientBase64 })
    const assertion = await this.#open(bytes)
    const { clockSkew, acceptInResponseTo } = settings
    return this.#acceptable(dialect.read(assertion, { now, clockSkew, recipients, acceptInResponseTo, claims: settings.claims }))
  }

  assume(token: AssumedToken): Proof {
    const { settings, dialect, signers } = this.#parts
    const proof = assumeAssertion(token, { version: dialect.version, limits: this.limits, issuers: this.issuers, claims: settings.claims })
    if (!signers.has(proof.issuer)) throw strangeIssuer()
    return this.#acceptable(proof)
  }

  #acceptable(proof: Proof): Proof {
    const problem = this.#parts.claims?.problem(proof.attributes.attributes)
    if (problem === undefined) return withFacts(proof, this.#parts.dialect.preset)
    throw new TokenRejected(`the attributes of the assertion are not acceptable: ${describable(problem)}`, { member: 'claims' })
  }

  /** An issuer may have changed its key since its metadata were fetched: then they are fetched once more, and the token is read again. */
  async #open(bytes: Buffer): Promise<VerifiedAssertion> {
    try {
      return await this.#openWith(bytes, signers => signers.keys())
    } catch (error) {
      if (!(error instanceof UnknownSigner) || !this.#parts.searchable) throw error
      return await this.#openWith(bytes, signers => signers.searched?.() ?? Promise.reject(error))
    }
  }

  #openWith(bytes: Buffer, keysOf: (signers: IssuerSigners) => ReturnType<IssuerSigners['keys']>): Promise<VerifiedAssertion> {
    const { settings, rules, dialect, signers, recipients, decryptionKeys } = this.#parts
    const algorithms = new Set(settings.algorithms)
    const { acceptInResponseTo } = settings
    return openAssertion(readXml(bytes), dialect.version, {
      ...{ acceptResponse: rules.acceptResponse, acceptInResponseTo, recipients, decryptionKeys },
      async trustIn(issuer) {
        const found = signers.get(issuer)
        if (found === undefined) throw strangeIssuer()
        const keys: readonly VerificationKey[] = await keysOf(found)
        return { keys, algorithms, limits: tokenLimits }
      },
    })
  }
}

function strangeIssuer(): TokenRejected {
  return new TokenRejected('the issuer of the assertion is not accepted here', { member: 'issuers' })
}

/** What a preset reads stands beside the attributes, where none of them can pose as it. */
function withFacts(proof: Proof, preset: SamlPreset | undefined): Proof {
  if (preset === undefined) return proof
  const { attributes = {} } = proof.attributes
  return { ...proof, attributes: { ...proof.attributes, ...preset.read(attributes as JsonObject) } }
}

const text = { type: 'string' }

/** The schema of what expressions read: the shape of `configuration.md`, with the attributes as the file's `claims` have them. */
function attributeSchema(claims: JsonObject | undefined, preset: SamlPreset | undefined): JsonObject {
  const { required = [], properties } = preset?.facts ?? {}
  return {
    type: 'object',
    required: ['issuer', 'nameId', 'attributes', ...(required as string[])],
    properties: {
      ...(properties as JsonObject | undefined),
      issuer: text,
      nameId: {
        type: 'object',
        required: ['value'],
        properties: { value: text, format: text, nameQualifier: text, spNameQualifier: text },
      },
      authnInstant: { type: 'number' },
      authnContext: text,
      sessionIndex: text,
      attributes: { ...claims, type: 'object' },
    },
  }
}
