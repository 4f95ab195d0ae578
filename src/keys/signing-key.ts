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

/** A hash that bytes may be signed over. SHA-1 is for receivers that take nothing else. */
export type BytesHash = 'sha1' | 'sha256' | 'sha384' | 'sha512'

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
  /**
   * Signs bytes for XML Signature: RSASSA-PKCS1-v1_5, or ECDSA as raw r‖s (XML Signature 1.1 §6.4). The hash is the signature's own
   * there, not the key's. Undefined where the key is kept for another scheme (PSS, EdDSA).
   */
  readonly signBytes: ((bytes: Buffer, hash: BytesHash) => Promise<Buffer>) | undefined
}

/** A public key that verifies one algorithm. */
export interface VerifyingKey {
  readonly kid: string | undefined
  readonly algorithm: SignatureAlgorithm
  /** Whether the signature fits the signing input (`header.payload`). */
  verify(signingInput: string, signature: Buffer): boolean
}
