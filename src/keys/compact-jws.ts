import { isUtf8 } from 'node:buffer'
import { type KeyObject, sign, verify } from 'node:crypto'
import { type JsonObject, parseOutsidersObject } from '../json.ts'
import { TokenRejected } from '../oauth/errors.ts'
import { algorithmDetails } from './algorithms.ts'
import type { SignatureAlgorithm } from './signing-key.ts'

/** The protected header of a JWS or JWE (RFC 7515 §4, RFC 7516 §4), checked for shape. `jku`, `x5u`, `jwk` and `x5c` are never looked at. */
export interface JoseHeader {
  readonly alg: string
  readonly kid: string | undefined
  /** `typ` as a media type without `application/`, in lower case (RFC 7515 §4.1.9); undefined when there is none. */
  readonly type: string | undefined
  readonly members: JsonObject
}

/** A JWS in the compact serialization (RFC 7515 §7.1), taken apart. Nothing of it is proved yet. */
export interface CompactJws {
  readonly header: JoseHeader
  /** What the signature is over: the first two parts with their dot. */
  readonly signingInput: string
  readonly encodedPayload: string
  readonly signature: Buffer
}

/** The longest token that is looked at. A longer one is refused, never taken for absent (CVE-2026-9704). */
export const longestToken = 65_536

const threeParts = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+$/
const rememberedHeaders = 256
const longestRememberedHeader = 512

/**
 * Takes compact JWSs apart. An issuer repeats its header in every token, so that headers that were parsed and checked
 * are remembered by their text; a remembered header says nothing about a signature.
 */
export class CompactJwsReader {
  readonly #headers = new Map<string, JoseHeader>()

  /** Throws `TokenRejected` when the text is not a compact JWS in exactly one possible encoding. */
  read(token: string): CompactJws {
    if (token.length > longestToken) throw new TokenRejected(`the token is longer than ${longestToken} characters`)
    if (!threeParts.test(token)) throw new TokenRejected('the token is not a signed JWT in the compact form')
    const firstDot = token.indexOf('.')
    const lastDot = token.lastIndexOf('.')
    const encodedPayload = token.slice(firstDot + 1, lastDot)
    const encodedSignature = token.slice(lastDot + 1)
    if (!isCanonical(encodedSignature)) throw new TokenRejected('the signature of the token is not base64url')
    const header = this.#header(token.slice(0, firstDot))
    return { header, signingInput: token.slice(0, lastDot), encodedPayload, signature: Buffer.from(encodedSignature, 'base64url') }
  }

  #header(encoded: string): JoseHeader {
    const known = this.#headers.get(encoded)
    if (known !== undefined) return known
    const header = readJoseHeader(encoded)
    if (encoded.length <= longestRememberedHeader) this.#remember(encoded, header)
    return header
  }

  #remember(encoded: string, header: JoseHeader): void {
    if (this.#headers.size >= rememberedHeaders) this.#headers.clear()
    // A slice would keep the whole token in memory.
    this.#headers.set(Buffer.from(encoded, 'latin1').toString('latin1'), header)
  }
}

/** Reads a protected header from its base64url form. Throws `TokenRejected`. */
export function readJoseHeader(encoded: string): JoseHeader {
  const members = decodeJsonObject(encoded)
  if (members === undefined) throw new TokenRejected('the header of the token is not a JSON object, or names a member twice')
  const { alg, kid, typ } = members
  if (typeof alg !== 'string') throw new TokenRejected('the header of the token names no algorithm')
  if (kid !== undefined && typeof kid !== 'string') throw new TokenRejected('kid in the header of the token is not a string')
  if (typ !== undefined && typeof typ !== 'string') throw new TokenRejected('typ in the header of the token is not a string')
  // RFC 7515 §4.1.11: an extension that is not understood must not be ignored; we understand none, b64 (RFC 7797) included.
  if (members.crit !== undefined || members.b64 !== undefined) throw new TokenRejected('the header of the token demands an extension')
  return { alg, kid, type: typ === undefined ? undefined : mediaType(typ), members }
}

/** A `typ` or `cty` in the one form in which it is compared (RFC 7515 §4.1.9). */
export function mediaType(name: string): string {
  const lower = name.toLowerCase()
  return lower.startsWith('application/') && lower.indexOf('/', 12) === -1 ? lower.slice(12) : lower
}

/** A JSON object from its base64url form; undefined unless it is canonical base64url of UTF-8 of an object without repeated members. */
export function decodeJsonObject(encoded: string): JsonObject | undefined {
  if (!isCanonical(encoded)) return undefined
  const bytes = Buffer.from(encoded, 'base64url')
  return isUtf8(bytes) ? parseOutsidersObject(bytes.toString('utf8')) : undefined
}

// Of text in the right alphabet: a length that occurs, and no set bits behind the last byte. Otherwise one token has several spellings.
function isCanonical(encoded: string): boolean {
  switch (encoded.length % 4) {
    case 0:
      return true
    case 2:
      return 'AQgw'.includes(encoded.slice(-1))
    case 3:
      return 'AEIMQUYcgkosw048'.includes(encoded.slice(-1))
    default:
      return false
  }
}

/** Makes the function that checks signatures of one algorithm with one public key. Synchronous: EC and EdDSA take 0.1 ms, RSA less. */
export function verifierFor(algorithm: SignatureAlgorithm, key: KeyObject): (signingInput: string, signature: Buffer) => boolean {
  const { hash, options, signatureBytes = modulusBytes(key) } = algorithmDetails[algorithm]
  const keyAndOptions = { key, ...options }
  return (signingInput, signature) =>
    signature.length === signatureBytes && verify(hash, Buffer.from(signingInput, 'latin1'), keyAndOptions, signature)
}

/** Makes the function that signs with one algorithm and one private key; it resolves to the signature in base64url. */
export function signerFor(algorithm: SignatureAlgorithm, key: KeyObject): (signingInput: string) => Promise<string> {
  const { hash, options, keyType } = algorithmDetails[algorithm]
  const keyAndOptions = { key, ...options }
  // An RSA signature takes 0.7 ms and more, in which nobody else would be served; it goes to the thread pool.
  if (keyType === 'rsa') return signingInput => signInPool(hash, signingInput, keyAndOptions)
  return async signingInput => sign(hash, Buffer.from(signingInput, 'latin1'), keyAndOptions).toString('base64url')
}

function signInPool(hash: string | null, signingInput: string, key: Parameters<typeof sign>[2]): Promise<string> {
  return new Promise((resolve, reject) => {
    sign(hash, Buffer.from(signingInput, 'latin1'), key, (error, signature) => {
      if (error === null) resolve(signature.toString('base64url'))
      else reject(error)
    })
  })
}

function modulusBytes(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}
