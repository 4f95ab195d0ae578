import type { JsonObject } from '../../json.ts'
import type { SignatureAlgorithm } from '../../keys/signing-key.ts'

/** What is known of the tokens of a well-known issuer. A file that names a preset can only tighten it. */
export interface Preset {
  /** The issuer, where there is one for everybody. */
  readonly issuer?: string
  /** What every issuer of this kind looks like, and how to say so. */
  readonly issuerForm: RegExp
  readonly issuerHint: string
  /** Whether strangers can get tokens from the same issuer, so that `iss` and `aud` alone admit anybody. */
  readonly open?: true
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Accepted values of `typ`; `jwt` also stands for none. */
  readonly types: readonly string[]
  /** Claims that every such token has, beside `iss`, `sub` and `exp`. */
  readonly requiredClaims: readonly string[]
  /** Seconds from `iat` to `exp` at most. */
  readonly maxLifetime: number
  /** The types of the claims, for expressions. */
  readonly claims: JsonObject
  readonly scopeClaim?: string
  /** Values of a key's `use` beside `sig`. */
  readonly keyUses?: readonly string[]
  /** What expressions read beside the claims. */
  readonly facts?: PresetFacts
  /** Who made the token, where `iss` does not say so. */
  readonly issuerOf?: (claims: JsonObject) => string | undefined
}

/** What a preset makes of the claims for those who write policies; no claim can pose as it. */
export interface PresetFacts {
  readonly schema: JsonObject
  /** Throws `TokenRejected` where the claims contradict each other. */
  read(claims: JsonObject): JsonObject
}

/** A schema of claims that are all strings. */
export function texts(...names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map(name => [name, { type: 'string' }]))
}

/** The schema of a list of strings. */
export const textList: JsonObject = { type: 'array', items: { type: 'string' } }

/** Seconds in an hour. */
export const hours = 3_600
