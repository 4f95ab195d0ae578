import type { KeyObject } from 'node:crypto'

/**
 * How the key of an encrypted token is wrapped for us (RFC 7518 §4). RSA1_5 (padding oracle), RSA-OAEP (SHA-1), passwords (PBES2) and
 * symmetric keys are left out.
 */
export const keyManagementAlgorithms = [
  'RSA-OAEP-256',
  'RSA-OAEP-384',
  'RSA-OAEP-512',
  'ECDH-ES',
  'ECDH-ES+A128KW',
  'ECDH-ES+A256KW',
] as const
export type KeyManagementAlgorithm = (typeof keyManagementAlgorithms)[number]

const agreementCurves = ['prime256v1', 'secp384r1', 'secp521r1']

/** Whether the algorithm can be used with a private or public key: RSA, or one that keys are agreed on with (RFC 7518 §4, RFC 8037 §3.2). */
export function encryptsWith(algorithm: KeyManagementAlgorithm, key: KeyObject): boolean {
  if (algorithm.startsWith('RSA')) return key.asymmetricKeyType === 'rsa'
  return (
    key.asymmetricKeyType === 'x25519' ||
    (key.asymmetricKeyType === 'ec' && agreementCurves.includes(key.asymmetricKeyDetails?.namedCurve ?? ''))
  )
}

/** How the content of an encrypted token is encrypted (RFC 7518 §5). All authenticate it. */
export const contentEncryptionAlgorithms = ['A128GCM', 'A192GCM', 'A256GCM', 'A128CBC-HS256', 'A192CBC-HS384', 'A256CBC-HS512'] as const
export type ContentEncryptionAlgorithm = (typeof contentEncryptionAlgorithms)[number]

/** A private key of ours that decrypts tokens sent to us. It is never used for signatures. */
export interface DecryptionKey {
  readonly id: string
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly algorithm: KeyManagementAlgorithm
  readonly privateKey: KeyObject
}
