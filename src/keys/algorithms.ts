import { constants, type KeyObject } from 'node:crypto'
import { rsaWeakness } from './rsa-strength.ts'
import type { SignatureAlgorithm } from './signing-key.ts'

/** What RFC 7518 §3.1, RFC 8037 §3.1 and RFC 9864 §2.2 say about one signature algorithm, in the words of `node:crypto`. */
export interface AlgorithmDetails {
  /** Null where the algorithm brings its own. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null
  readonly keyType: 'ec' | 'rsa' | 'ed25519'
  /** OpenSSL's name of the one curve that fits. */
  readonly curve?: string
  /** The exact length of a signature; for RSA it is that of the modulus. */
  readonly signatureBytes?: number
  readonly options: { readonly dsaEncoding?: 'ieee-p1363'; readonly padding?: number; readonly saltLength?: number }
}

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING } = constants

function ecdsa(hash: AlgorithmDetails['hash'], curve: string, signatureBytes: number): AlgorithmDetails {
  return { hash, keyType: 'ec', curve, signatureBytes, options: { dsaEncoding: 'ieee-p1363' } }
}

function rsa(hash: AlgorithmDetails['hash']): AlgorithmDetails {
  return { hash, keyType: 'rsa', options: { padding: RSA_PKCS1_PADDING } }
}

// RFC 7518 §3.5: the salt is exactly as long as the hash.
function pss(hash: AlgorithmDetails['hash'], saltLength: number): AlgorithmDetails {
  return { hash, keyType: 'rsa', options: { padding: RSA_PKCS1_PSS_PADDING, saltLength } }
}

const ed25519: AlgorithmDetails = { hash: null, keyType: 'ed25519', signatureBytes: 64, options: {} }

/** The algorithms by their JWA name. All are asymmetric: `none` and HMAC have no entry, so they cannot be asked for. */
export const algorithmDetails: Readonly<Record<SignatureAlgorithm, AlgorithmDetails>> = {
  ES256: ecdsa('sha256', 'prime256v1', 64),
  ES384: ecdsa('sha384', 'secp384r1', 96),
  ES512: ecdsa('sha512', 'secp521r1', 132),
  RS256: rsa('sha256'),
  RS384: rsa('sha384'),
  RS512: rsa('sha512'),
  PS256: pss('sha256', 32),
  PS384: pss('sha384', 48),
  PS512: pss('sha512', 64),
  EdDSA: ed25519,
  Ed25519: ed25519,
}

/** Whether a name, as a key or a token has it, is one of ours. Compared exactly: `noNE` and `es256` are nothing (RFC 8725 §2.1). */
export function isSignatureAlgorithm(name: unknown): name is SignatureAlgorithm {
  return typeof name === 'string' && Object.hasOwn(algorithmDetails, name)
}

/** Whether the algorithm can be used with the key: its type and, for an elliptic curve, exactly its curve (RFC 7518 §3.4). */
export function fits(algorithm: SignatureAlgorithm, key: KeyObject): boolean {
  const { keyType, curve } = algorithmDetails[algorithm]
  return key.asymmetricKeyType === keyType && (curve === undefined || key.asymmetricKeyDetails?.namedCurve === curve)
}

/** What makes a public or private key too weak to use; undefined when nothing does (RFC 8725 §3.5). */
export function weakness(key: KeyObject): string | undefined {
  return key.asymmetricKeyType === 'rsa' ? rsaWeakness(key) : undefined
}
