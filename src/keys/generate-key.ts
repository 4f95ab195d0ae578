import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { algorithmDetails, isSignatureAlgorithm } from './algorithms.ts'
import type { KeyManagementAlgorithm } from './decryption-key.ts'
import type { SignatureAlgorithm } from './signing-key.ts'

/** A new key pair. */
export interface GeneratedKey {
  readonly algorithm: SignatureAlgorithm | KeyManagementAlgorithm
  /** RFC 7638 thumbprint. */
  readonly kid: string
  /** The private key as PKCS #8 PEM. */
  readonly privateKeyPem: string
  /** The public half as a JWK with `kid`, `alg` and `use`, for whoever is to trust it. */
  readonly publicJwk: JWK
}

const generate = promisify(generateKeyPair)

/** Generates a key for one algorithm. RSA keys have 2048 bits unless more are asked for. */
export async function generateKey(algorithm: GeneratedKey['algorithm'], rsaBits = 2048): Promise<GeneratedKey> {
  const privateKey = await generatePrivateKey(algorithm, rsaBits)
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as JWK
  const kid = await calculateJwkThumbprint(jwk)
  return {
    algorithm,
    kid,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicJwk: { ...jwk, kid, alg: algorithm, use: isSignatureAlgorithm(algorithm) ? 'sig' : 'enc' },
  }
}

async function generatePrivateKey(algorithm: GeneratedKey['algorithm'], modulusLength: number): Promise<KeyObject> {
  const { keyType, curve = 'prime256v1' } = isSignatureAlgorithm(algorithm)
    ? algorithmDetails[algorithm]
    : { keyType: algorithm.startsWith('RSA') ? ('rsa' as const) : ('ec' as const) }
  if (keyType === 'rsa') return (await generate('rsa', { modulusLength, publicExponent: 65_537 })).privateKey
  if (keyType === 'ec') return (await generate('ec', { namedCurve: curve })).privateKey
  return (await generate('ed25519')).privateKey
}
