import { createPublicKey, type KeyObject } from 'node:crypto'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { fits, isSignatureAlgorithm, weakness } from './algorithms.ts'
import { verifierFor } from './compact-jws.ts'
import type { SignatureAlgorithm, VerifyingKey } from './signing-key.ts'

/** Why one key of a set is not used. */
export interface KeyDefect {
  /** Its place in `keys`. */
  readonly index: number
  readonly message: string
}

/** Which keys of a set are wanted. */
export interface WantedKeys {
  /** The algorithms that the reader accepts, the preferred one first. */
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Values of `use` beside `sig`: a SPIFFE bundle says `jwt-svid`. */
  readonly uses?: readonly string[]
}

/** What one token names of a key: the key, `unknown` when no key fits, `ambiguous` when several do. */
export type KeyChoice = VerifyingKey | 'unknown' | 'ambiguous'

/** How many keys of a set are looked at. */
export const mostKeys = 100
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const publicMembers = ['kty', 'crv', 'x', 'y', 'n', 'e']

/** The public keys of one issuer and nobody else's, by algorithm and `kid` (RFC 8725 §3.8: no key serves two issuers). */
export class PublicKeys {
  readonly defects: readonly KeyDefect[]
  readonly #byAlgorithm = new Map<string, Map<string | undefined, VerifyingKey[]>>()
  #size = 0

  constructor(keys: readonly VerifyingKey[], defects: readonly KeyDefect[] = []) {
    this.defects = defects
    for (const key of keys) this.#add(key)
  }

  /** How many different keys there are. */
  get size(): number {
    return this.#size
  }

  /** The one key that fits. A `kid` only ever selects (RFC 7515 §4.1.4); without one, exactly one key of the algorithm must be there. */
  find(algorithm: string, kid: string | undefined): KeyChoice {
    const ofAlgorithm = this.#byAlgorithm.get(algorithm)
    if (ofAlgorithm === undefined) return 'unknown'
    const fitting = kid === undefined ? [...ofAlgorithm.values()].flat() : (ofAlgorithm.get(kid) ?? [])
    return fitting.length > 1 ? 'ambiguous' : (fitting[0] ?? 'unknown')
  }

  #add(key: VerifyingKey): void {
    const ofAlgorithm = this.#byAlgorithm.get(key.algorithm) ?? new Map<string | undefined, VerifyingKey[]>()
    ofAlgorithm.set(key.kid, [...(ofAlgorithm.get(key.kid) ?? []), key])
    this.#byAlgorithm.set(key.algorithm, ofAlgorithm)
    this.#size++
  }
}

/** Reads a JWK Set (RFC 7517 §5). Keys that must not or cannot be used become defects; undefined when it is no set at all. */
export function readPublicKeys(set: JsonObject, wanted: WantedKeys): PublicKeys | undefined {
  if (!Array.isArray(set.keys)) return undefined
  const defects: KeyDefect[] = []
  const keys: VerifyingKey[] = []
  const seen = new Set<string>()
  for (const [index, jwk] of (set.keys as readonly JsonValue[]).entries()) {
    const read = index < mostKeys ? readPublicKey(jwk, wanted) : `the set has more than ${mostKeys} keys`
    if (typeof read === 'string') defects.push({ index, message: read })
    else if (!seen.has(read.identity)) {
      seen.add(read.identity)
      keys.push(...read.keys)
    }
  }
  return new PublicKeys(keys, defects)
}

/** A public key as it was read. */
export interface ReadKey {
  /** Equal for one key that is listed twice. */
  readonly identity: string
  /** Its public members in their one normal form. */
  readonly jwk: JsonObject
  readonly keys: readonly VerifyingKey[]
}

/** Reads one JWK (RFC 7517 §4), or says why it must not or cannot be used. */
export function readPublicKey(jwk: JsonValue, wanted: WantedKeys): ReadKey | string {
  if (!isJsonObject(jwk)) return 'not a JSON object'
  const defect = memberDefect(jwk, wanted)
  if (defect !== undefined) return defect
  const key = importPublicJwk(jwk)
  if (key === undefined) return 'not a valid public key of type RSA, EC or OKP'
  const weak = weakness(key)
  if (weak !== undefined) return weak
  const algorithms = algorithmsFor(jwk.alg, key, wanted.algorithms)
  if (algorithms.length === 0) return 'it fits none of the accepted algorithms'
  const kid = jwk.kid as string | undefined
  const exported = key.export({ format: 'jwk' }) as JsonObject
  return {
    identity: JSON.stringify([kid, algorithms, exported]),
    jwk: exported,
    keys: algorithms.map(algorithm => ({ kid, algorithm, verify: verifierFor(algorithm, key) })),
  }
}

/** RFC 7517 §4: what the members of a key say against verifying signatures with it. */
function memberDefect(jwk: JsonObject, { uses = [] }: WantedKeys): string | undefined {
  const { kty, kid, use, key_ops: operations } = jwk
  if (kty === 'oct') return 'a symmetric key: whoever verifies with it can sign'
  if (isPrivateJwk(jwk)) return 'a private key stands in a set of public keys'
  if (kid !== undefined && typeof kid !== 'string') return 'its kid is not a string'
  if (use !== undefined && use !== 'sig' && !uses.includes(String(use))) return 'its use is not sig'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return 'its key_ops do not have verify'
  return undefined
}

/** Whether a JWK has the half that nobody else may know: in a public set, whoever reads that knows it. */
export function isPrivateJwk(jwk: JsonObject): boolean {
  return privateMembers.some(member => Object.hasOwn(jwk, member))
}

/** The public key that a JWK of type RSA, EC or OKP is; undefined where it is none. */
export function importPublicJwk(jwk: JsonObject): KeyObject | undefined {
  const members = publicMembers.filter(member => typeof jwk[member] === 'string').map(member => [member, jwk[member]])
  try {
    return createPublicKey({ key: Object.fromEntries(members), format: 'jwk' })
  } catch {
    return undefined
  }
}

/**
 * The one algorithm that a key verifies (RFC 8725bis): the one it names, else the first accepted one that fits it. So an RSA key
 * without `alg` never verifies both PKCS #1 and PSS. `EdDSA` and `Ed25519` are two names of one algorithm (RFC 9864 §2.2).
 */
function algorithmsFor(named: JsonValue | undefined, key: KeyObject, accepted: readonly SignatureAlgorithm[]): SignatureAlgorithm[] {
  const fitting = accepted.filter(algorithm => fits(algorithm, key))
  if (named !== undefined) return isSignatureAlgorithm(named) && fitting.includes(named) ? [named] : []
  return key.asymmetricKeyType === 'ed25519' ? fitting : fitting.slice(0, 1)
}
