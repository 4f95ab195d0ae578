import { createHash, createHmac, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'

/** A key pair with the algorithm that it is meant for. */
export interface Pair {
  readonly alg: string
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** The public key as a key set has it. */
  readonly jwk: Record<string, unknown>
}

/** Whose tokens are forged, and what everybody knows of them. */
export interface Victim {
  /** The keys whose signatures are believed. Nobody but the tests of hostile claims may sign with them. */
  readonly trusted: readonly Pair[]
  /** A key that is believed as well, but for somebody else. */
  readonly neighbour: Pair & { readonly issuer: string }
  /** Members of the header that a genuine token has beside `alg` and `kid`. */
  readonly header: object
  /** The claims of a genuine token, with an id of its own. */
  claims(): Record<string, unknown>
  /** The server that is attacked. */
  readonly server: string
  /** A web server of the attacker. */
  readonly lure: string
}

/** A token that must not be believed. */
export interface Forgery {
  readonly name: string
  readonly token: string
  /** The signature is genuine: what is wrong is what was signed. */
  readonly signed?: true
}

const curves: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', ES256K: 'secp256k1' }

/** Makes a key pair. */
export function pair(alg: string, kid: string): Pair {
  const keys = makeKeys(alg)
  return { alg, kid, ...keys, jwk: { ...keys.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

function makeKeys(alg: string): { privateKey: KeyObject; publicKey: KeyObject } {
  const curve = curves[alg]
  if (curve !== undefined) return generateKeyPairSync('ec', { namedCurve: curve })
  return alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 })
}

/** base64url of bytes, of text, or of the JSON of anything else. */
export function encode(value: unknown): string {
  return Buffer.from(Buffer.isBuffer(value) || typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** The first two parts of a token; what is text already is encoded as it is. */
export function inputOf(header: unknown, payload: unknown): string {
  return `${encode(header)}.${encode(payload)}`
}

/** A signature as the algorithm of the name makes it, also with keys that do not belong to it. */
export function signWith(alg: string, key: KeyObject, input: string): Buffer {
  const bits = alg.slice(2, 5)
  if (alg === 'EdDSA') return sign(null, Buffer.from(input), key)
  if (alg.startsWith('PS')) return sign(`sha${bits}`, Buffer.from(input), { key, padding: 6, saltLength: Number(bits) / 8 })
  return sign(`sha${bits}`, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
}

/** A token signed with a pair: `header` is added to what the pair says of itself, unless it is text. */
export function jws(by: Pair, header: object | string, payload: unknown): string {
  const input = inputOf(typeof header === 'string' ? header : { alg: by.alg, kid: by.kid, ...header }, payload)
  return `${input}.${encode(signWith(by.alg, by.privateKey, input))}`
}

/** A token with the MAC of HS256 and its like. */
export function mac(alg: string, secret: Buffer | string, header: object, payload: unknown): string {
  const input = inputOf({ alg, ...header }, payload)
  const bits = /384|512/.exec(alg)?.[0] ?? '256'
  return `${input}.${createHmac(`sha${bits}`, secret).update(input).digest('base64url')}`
}

/** RFC 7638. */
export function thumbprint({ jwk }: Pair): string {
  const members = { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] }[jwk.kty as string] ?? []
  return hash('sha256', JSON.stringify(Object.fromEntries(members.map(member => [member, jwk[member]]))), 'base64url')
}

/** A genuine token of the victim. */
export function genuine(victim: Victim, by: Pair | undefined = victim.trusted[0], more: object = {}, header: object = {}): string {
  if (by === undefined) throw new Error('the victim has no key')
  return jws(by, { ...victim.header, ...header }, { ...victim.claims(), ...more })
}

/** The three parts of a token. */
export function partsOf(token: string): [header: string, payload: string, signature: string] {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return [header, payload, signature]
}

/** A self-signed certificate (RFC 5280), in DER. */
export function certificate({ publicKey, privateKey }: Pair): Buffer {
  const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
  const commonName = der(0x30, der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from('people.example')))
  const name = der(0x30, der(0x31, commonName))
  const validity = der(0x30, der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('490101000000Z')))
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const version = der(0xa0, der(0x02, Buffer.from([2])))
  const serial = der(0x02, createHash('sha256').update(spki).digest().subarray(0, 8).fill(1, 0, 1))
  const body = der(0x30, version, serial, ecdsaWithSha256, name, validity, name, spki)
  return der(0x30, body, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)])))
}

/** A value of the Distinguished Encoding Rules. */
export function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const short = content.length < 128
  const length = short ? [content.length] : [0x82, content.length >> 8, content.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
