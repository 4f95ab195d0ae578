import type { X509Certificate } from 'node:crypto'
import type { JWK } from 'jose'

/** Signature algorithms that we sign with and accept (RFC 7518 §3.1, RFC 8037, RFC 9864). All are asymmetric. */
export const signatureAlgorithms = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
  'Ed25519',
] as const
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number]

/** A private key of ours that signs. Built once, when the configuration is loaded. */
export interface SigningKey {
  readonly id: string
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly algorithm: SignatureAlgorithm
  /** The public half, with `kid`, `alg` and `use`, as the JWKS shows it. */
  readonly publicJwk: JWK
  readonly certificate: X509Certificate | undefined
  /** The public half, for tokens of ours that come back. */
  readonly verifying: VerifyingKey
  /** Signs a compact JWS: `protectedHeader` is its base64url form, `payload` the JSON text. Resolves to the whole token. */
  signCompact(protectedHeader: string, payload: string): Promise<string>
}

/** A public key that verifies one algorithm. */
export interface VerifyingKey {
  readonly kid: string | undefined
  readonly algorithm: SignatureAlgorithm
  /** Whether the signature fits the signing input (`header.payload`). */
  verify(signingInput: string, signature: Buffer): boolean
}
