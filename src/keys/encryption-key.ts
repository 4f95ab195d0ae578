import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { type CryptoKey, importJWK, type JWK } from 'jose'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { weakness } from './algorithms.ts'
import { encryptsWith, type KeyManagementAlgorithm } from './decryption-key.ts'
import { importPublicJwk, isPrivateJwk, mostKeys } from './public-keys.ts'

/** A public key of somebody else that tokens are encrypted for. */
export interface EncryptionKey {
  /** What the header names the key by (RFC 7516 §4.1.6); undefined: nothing. */
  readonly kid: string | undefined
  readonly algorithm: KeyManagementAlgorithm
  readonly key: CryptoKey
}

/** What speaks against a key, or all keys of a set, in words for an administrator. */
export class UnusableKey extends Error {}

/** Which key is wanted. */
export interface WantedEncryptionKey {
  readonly algorithm: KeyManagementAlgorithm
  /** The only one that is taken of a set; undefined: whichever fits best. */
  readonly kid: string | undefined
}

/** Prepares a key for encrypting. What speaks against it is thrown as an `UnusableKey`. */
export async function encryptionKeyOf(key: KeyObject, { algorithm, kid }: WantedEncryptionKey): Promise<EncryptionKey> {
  const defect = defectOf(key, algorithm)
  if (defect !== undefined) throw new UnusableKey(defect)
  const imported = await importJWK(key.export({ format: 'jwk' }) as JWK, algorithm)
  if (imported instanceof Uint8Array) throw new UnusableKey('is a symmetric key')
  return { kid, algorithm, key: imported }
}

/** Reads a public key, or a certificate, from PEM; undefined where it is neither. A private key is neither. */
export function publicKeyFromPem(pem: string, kind: 'publicKey' | 'certificate'): KeyObject | undefined {
  try {
    if (kind === 'certificate') return new X509Certificate(pem).publicKey
    return /PRIVATE KEY/.test(pem) ? undefined : createPublicKey(pem)
  } catch {
    return undefined
  }
}

/**
 * The key of a JWK Set (RFC 7517 §5) that tokens are encrypted for: one that is kept for it (`use`, `key_ops`, `alg`) before one that says
 * nothing, and the first of several. What speaks against all of them is thrown as an `UnusableKey`.
 */
export async function chooseEncryptionKey(set: JsonObject, wanted: WantedEncryptionKey): Promise<EncryptionKey> {
  if (!Array.isArray(set.keys)) throw new UnusableKey('is not a JWK Set: a JSON object with the member "keys"')
  const read = (set.keys as readonly JsonValue[]).slice(0, mostKeys).map(jwk => readKey(jwk, wanted))
  const candidates = read.filter(each => typeof each !== 'string').sort((one, other) => other.rank - one.rank)
  const [best] = candidates
  if (best === undefined) throw new UnusableKey(`has no key to encrypt for with ${wanted.algorithm}${defectsOf(read)}`)
  return await encryptionKeyOf(best.key, { algorithm: wanted.algorithm, kid: best.kid })
}

function defectsOf(read: readonly unknown[]): string {
  return read.map((defect, index) => `; keys[${index}]: ${defect}`).join('')
}

interface Candidate {
  readonly key: KeyObject
  readonly kid: string | undefined
  /** How much it says that it is meant for this. */
  readonly rank: number
}

function readKey(jwk: JsonValue, wanted: WantedEncryptionKey): Candidate | string {
  if (!isJsonObject(jwk)) return 'not a JSON object'
  const defect = memberDefect(jwk, wanted)
  if (defect !== undefined) return defect
  const key = importPublicJwk(jwk)
  if (key === undefined) return 'not a valid public key of type RSA, EC or OKP'
  const unfit = defectOf(key, wanted.algorithm)
  if (unfit !== undefined) return unfit
  const rank = (jwk.alg === undefined ? 0 : 2) + (jwk.use === undefined && jwk.key_ops === undefined ? 0 : 1)
  return { key, kid: jwk.kid as string | undefined, rank }
}

const operationsOfEncryption = ['wrapKey', 'encrypt', 'deriveKey', 'deriveBits']

/** RFC 7517 §4: what the members of a key say against encrypting with it. */
function memberDefect(jwk: JsonObject, { algorithm, kid: wantedKid }: WantedEncryptionKey): string | undefined {
  const { kid, use, alg, key_ops: operations } = jwk
  if (isPrivateJwk(jwk)) return 'a private key stands in a set of public keys'
  if (kid !== undefined && typeof kid !== 'string') return 'its kid is not a string'
  if (wantedKid !== undefined && kid !== wantedKid) return 'its kid is another one'
  if (use !== undefined && use !== 'enc') return 'its use is not enc'
  if (alg !== undefined && alg !== algorithm) return 'its alg is another one'
  // RFC 7517 §4.3: a public key of an agreement may have an empty list, since nothing is done with it alone.
  if (operations !== undefined && !(Array.isArray(operations) && allowEncryption(operations))) return 'its key_ops do not encrypt'
  return undefined
}

function allowEncryption(operations: readonly JsonValue[]): boolean {
  return operations.length === 0 || operations.some(operation => operationsOfEncryption.includes(String(operation)))
}

function defectOf(key: KeyObject, algorithm: KeyManagementAlgorithm): string | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = key
  const curve = asymmetricKeyDetails?.namedCurve
  return encryptsWith(algorithm, key)
    ? weakness(key)
    : `a key of type ${asymmetricKeyType}${curve === undefined ? '' : ` (${curve})`} does not fit ${algorithm}`
}
