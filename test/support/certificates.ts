import { createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { signingKey } from '../../src/keys/key-file.ts'
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

/** Makes a key for an algorithm, with a certificate that is valid for ten years around now. */
export function certifiedKey(algorithm: SignatureAlgorithm, name = 'test', years = 10): CertifiedKey {
  const namedCurve = curves[algorithm]
  const { privateKey } =
    namedCurve === undefined ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve })
  const certificate = selfSigned(privateKey, name, years)
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { algorithm, privateKey, privateKeyPem, certificate, certificatePem: certificate.toString() }
}

/** The key as the configuration has it. */
export async function configuredKey(id: string, { algorithm, privateKey, certificate }: CertifiedKey): Promise<SigningKey> {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as JWK
  return { id, certificate, ...signingKey(algorithm, privateKey, await calculateJwkThumbprint(jwk), jwk) }
}

/** RFC 5280 §4.1, as little of it as a self-signed certificate needs. */
function selfSigned(privateKey: KeyObject, name: string, years: number): X509Certificate {
  const isRsa = privateKey.asymmetricKeyType === 'rsa'
  const algorithm = isRsa ? '300d06092a864886f70d01010b0500' : '300a06082a8648ce3d040302'
  const signedBy = Buffer.from(algorithm, 'hex')
  const who = der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(name)))))
  const validity = der(0x30, time(-years), time(years))
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const serial = Buffer.from('02080123456789abcdef', 'hex')
  const certified = der(0x30, der(0xa0, Buffer.from('020102', 'hex')), serial, signedBy, who, validity, who, publicKey)
  const signature = sign('sha256', certified, privateKey)
  return new X509Certificate(der(0x30, certified, signedBy, der(0x03, Buffer.of(0), signature)))
}

function time(years: number): Buffer {
  const date = new Date()
  date.setUTCFullYear(date.getUTCFullYear() + years)
  return der(0x18, Buffer.from(`${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`))
}

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const length = body.length < 128 ? [body.length] : body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
