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

/** How the content of an encrypted token is encrypted (RFC 7518 §5). All authenticate it. */
export const contentEncryptionAlgorithms = ['A128GCM', 'A192GCM', 'A256GCM', 'A128CBC-HS256', 'A192CBC-HS384', 'A256CBC-HS512'] as const

/** A private key of ours that decrypts tokens sent to us. It is never used for signatures. */
export interface DecryptionKey {
  readonly id: string
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly algorithm: KeyManagementAlgorithm
  readonly privateKey: KeyObject
}
