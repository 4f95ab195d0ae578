import { createPrivateKey } from 'node:crypto'
import { type KeyManagementAlgorithm, keyManagementAlgorithms } from './decryption-key.ts'
import { generateKey } from './generate-key.ts'
import { selfSignedCertificate } from './self-signed-certificate.ts'
import { type SignatureAlgorithm, signatureAlgorithms } from './signing-key.ts'

/** Every algorithm that a key file may name. */
export const keyAlgorithms = [...signatureAlgorithms, ...keyManagementAlgorithms] as const

/** What a key is used with. */
export type Algorithm = SignatureAlgorithm | KeyManagementAlgorithm

/** A key that is to be made. */
export interface WantedKey {
  readonly id: string
  readonly algorithm: Algorithm
  readonly status: string
  readonly replaces: string | undefined
  /** Of an RSA key. */
  readonly bits: number
  /** Undefined: no certificate. */
  readonly certificateDays: number | undefined
}

/** A file that is to be written. */
export interface NewFile {
  /** Relative to the configuration folder. */
  readonly file: string
  readonly content: string
  readonly mode: number
}

/** Makes a key: its files, the description last, so that nobody reads of a key that is not there yet. */
export async function makeKeyPair(wanted: WantedKey): Promise<{ kid: string; files: readonly NewFile[] }> {
  const { kid, privateKeyPem } = await generateKey(wanted.algorithm, wanted.bits)
  return { kid, files: filesOf(wanted, privateKeyPem) }
}

function filesOf({ id, algorithm, status, replaces, certificateDays: days }: WantedKey, privateKeyPem: string): NewFile[] {
  const description = {
    $schema: '../schemas/key.schema.json',
    algorithm,
    status,
    ...(replaces !== undefined && { replaces }),
    privateKey: { file: `keys/${id}.pem` },
    ...(days !== undefined && { certificate: { file: `keys/${id}.crt.pem` } }),
  }
  const certificate = (forDays: number) =>
    selfSignedCertificate(createPrivateKey(privateKeyPem), { commonName: id, notBefore: new Date(), days: forDays })
  return [
    { file: `keys/${id}.pem`, content: privateKeyPem, mode: 0o600 },
    ...(days === undefined ? [] : [{ file: `keys/${id}.crt.pem`, content: certificate(days), mode: 0o644 }]),
    { file: `keys/${id}.json`, content: `${JSON.stringify(description, null, 2)}\n`, mode: 0o644 },
  ]
}
