import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { signingKey } from '../../src/keys/key-file.ts'
import { selfSignedCertificate } from '../../src/keys/self-signed-certificate.ts'
import type { SignatureAlgorithm, SigningKey } from '../../src/keys/signing-key.ts'

/** A key with the certificate that it has signed for itself. */
export interface CertifiedKey {
  readonly algorithm: SignatureAlgorithm
  readonly privateKey: KeyObject
  readonly privateKeyPem: string
  readonly certificate: X509Certificate
  readonly certificatePem: string
}

const curves: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

/** Makes a key for an algorithm, with a certificate that is valid for so many days from a year ago. */
export function certifiedKey(algorithm: SignatureAlgorithm, commonName = 'test', days = 3650): CertifiedKey {
  const namedCurve = curves[algorithm]
  const { privateKey } =
    namedCurve === undefined ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve })
  const notBefore = new Date(Date.now() - 365 * 86_400_000)
  const certificate = new X509Certificate(selfSignedCertificate(privateKey, { commonName, notBefore, days }))
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { algorithm, privateKey, privateKeyPem, certificate, certificatePem: certificate.toString() }
}

/** The key as the configuration has it. */
export async function configuredKey(id: string, { algorithm, privateKey, certificate }: CertifiedKey): Promise<SigningKey> {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as JWK
  return { id, certificate, ...signingKey(algorithm, privateKey, await calculateJwkThumbprint(jwk), jwk) }
}
