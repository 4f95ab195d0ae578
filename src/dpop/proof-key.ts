import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { isSignatureAlgorithm } from '../keys/algorithms.ts'
import type { JoseHeader } from '../keys/compact-jws.ts'
import { readPublicKey } from '../keys/public-keys.ts'
import type { SignatureAlgorithm, VerifyingKey } from '../keys/signing-key.ts'
import { thumbprintOf } from '../keys/thumbprint.ts'
import { proofRefused } from './refused.ts'

/** The key that a proof brings along. */
export interface ProofKey {
  /** RFC 7638 thumbprint. */
  readonly jkt: string
  readonly verify: VerifyingKey['verify']
}

/** The key in the header of a proof (RFC 9449 §4.2, §4.3 items 5 to 7): public, sound, and of the algorithm. Nowhere else is such a key looked at. */
export function proofKeyOf({ alg, type, members: { jwk } }: JoseHeader, algorithms: ReadonlySet<string>): ProofKey {
  if (type !== 'dpop+jwt') throw proofRefused('its typ is not dpop+jwt')
  if (!isSignatureAlgorithm(alg) || !algorithms.has(alg))
    throw proofRefused('it is signed with an algorithm that is not accepted here', 'algorithms')
  if (!isJsonObject(jwk)) throw proofRefused('its header has no jwk')
  return soundKey(jwk, alg)
}

function soundKey(jwk: JsonObject, algorithm: SignatureAlgorithm): ProofKey {
  const read = readPublicKey(jwk, { algorithms: [algorithm] })
  if (typeof read === 'string') throw proofRefused('the key in its header cannot be used', undefined, read)
  const [key] = read.keys
  // Whoever computes the thumbprint of what stands there would have another one.
  if (key === undefined || !isSpelledAs(jwk, read.jwk)) throw proofRefused('the key in its header is not in its normal form')
  return { jkt: thumbprintOf(read.jwk), verify: key.verify }
}

function isSpelledAs(jwk: JsonObject, normal: Readonly<Record<string, JsonValue | undefined>>): boolean {
  return Object.entries(normal).every(([name, value]) => jwk[name] === value)
}
