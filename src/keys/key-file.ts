import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { z } from 'zod'
import { everyFile, externalText, reference, strict } from '../config/values.ts'
import { type Blueprint, type Parts, SettingProblem } from '../plugin.ts'
import { fits, isSignatureAlgorithm, weakness } from './algorithms.ts'
import { bytesSignerFor } from './bytes-signer.ts'
import { warnOfDates } from './certificate-dates.ts'
import { signerFor, verifierFor } from './compact-jws.ts'
import { type DecryptionKey, encryptsWith, type KeyManagementAlgorithm, keyManagementAlgorithms } from './decryption-key.ts'
import { type SignatureAlgorithm, type SigningKey, signatureAlgorithms } from './signing-key.ts'

const settings = strict({
  ...everyFile,
  algorithm: z
    .enum([...signatureAlgorithms, ...keyManagementAlgorithms])
    .meta({ description: 'The one algorithm that the key is used with' }),
  status: z
    .enum(['next', 'active', 'retired'])
    .meta({ description: 'next: published, not yet used; active: in use; retired: published, only verifies or decrypts' }),
  privateKey: externalText.meta({ description: 'The private key as unencrypted PEM (PKCS #8)' }),
  certificate: externalText.optional().meta({ description: 'The X.509 certificate of the key as PEM' }),
  replaces: reference('keys')
    .optional()
    .meta({ description: 'The key that this one follows: whoever names one key of the line uses its active one' }),
})
type KeySettings = z.output<typeof settings>

/** A key of the configuration, built. Exactly one of `signing` and `decryption` is there. */
export interface ConfiguredKey {
  readonly id: string
  readonly status: KeySettings['status']
  /** The id of the key that it follows. */
  readonly replaces: string | undefined
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly signing: SigningKey | undefined
  readonly decryption: DecryptionKey | undefined
}

/** `keys/<id>.json`: one signing or decryption key. */
export const keyFile: z.ZodType<Blueprint<ConfiguredKey>> = settings.transform(parsed => ({
  type: 'key',
  settings: parsed,
  build: parts => buildKey(parsed, parts),
}))

async function buildKey(file: KeySettings, parts: Parts): Promise<ConfiguredKey> {
  const { algorithm, status } = file
  const privateKey = readPrivateKey(parts.text(file.privateKey))
  const problem = misfit(algorithm, privateKey) ?? weakness(privateKey)
  if (problem !== undefined) throw new SettingProblem(['privateKey'], problem)
  const certificate = file.certificate === undefined ? undefined : readCertificate(parts.text(file.certificate), privateKey)
  if (certificate !== undefined && status !== 'retired') warnOfDates(certificate, signsByIt, parts, ['certificate'])
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as JWK
  const kid = await calculateJwkThumbprint(jwk)
  const common = { id: parts.id, status, replaces: file.replaces?.id, kid }
  if (!isSignatureAlgorithm(algorithm)) {
    return { ...common, signing: undefined, decryption: { id: parts.id, kid, algorithm: algorithm as KeyManagementAlgorithm, privateKey } }
  }
  return { ...common, signing: { id: parts.id, certificate, ...signingKey(algorithm, privateKey, kid, jwk) }, decryption: undefined }
}

const signsByIt = {
  expired: '; whoever looks at its dates refuses what the key signs',
  expires: '; partners need the certificate of the next key before',
  notYetValid: '; whoever looks at its dates refuses what the key signs',
}

/** The signing half of a key: what `SigningKey` has beside its place in the configuration. */
export function signingKey(
  algorithm: SignatureAlgorithm,
  privateKey: KeyObject,
  kid: string,
  publicJwk: JWK,
): Omit<SigningKey, 'id' | 'certificate'> {
  const signInput = signerFor(algorithm, privateKey)
  return {
    kid,
    algorithm,
    publicJwk: { ...publicJwk, kid, alg: algorithm, use: 'sig' },
    verifying: { kid, algorithm, verify: verifierFor(algorithm, createPublicKey(privateKey)) },
    async signCompact(protectedHeader, payload) {
      const signingInput = `${protectedHeader}.${Buffer.from(payload, 'utf8').toString('base64url')}`
      return `${signingInput}.${await signInput(signingInput)}`
    },
    signBytes: bytesSignerFor(algorithm, privateKey),
  }
}

function readPrivateKey(pem: string): KeyObject {
  if (/ENCRYPTED/.test(pem))
    throw new SettingProblem(['privateKey'], 'the private key is encrypted; an unencrypted PEM (PKCS #8) is needed')
  try {
    return createPrivateKey(pem)
  } catch {
    throw new SettingProblem(['privateKey'], 'is not a private key as PEM (-----BEGIN PRIVATE KEY-----)')
  }
}

function misfit(algorithm: SignatureAlgorithm | KeyManagementAlgorithm, key: KeyObject): string | undefined {
  const suitable = isSignatureAlgorithm(algorithm) ? fits(algorithm, key) : encryptsWith(algorithm as KeyManagementAlgorithm, key)
  const curve = key.asymmetricKeyDetails?.namedCurve
  return suitable
    ? undefined
    : `a key of type ${key.asymmetricKeyType}${curve === undefined ? '' : ` (${curve})`} does not fit ${algorithm}`
}

function readCertificate(pem: string, privateKey: KeyObject): X509Certificate {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch {
    throw new SettingProblem(['certificate'], 'is not a certificate as PEM (-----BEGIN CERTIFICATE-----)')
  }
  if (!certificate.checkPrivateKey(privateKey)) throw new SettingProblem(['certificate'], 'the certificate belongs to another key')
  return certificate
}
