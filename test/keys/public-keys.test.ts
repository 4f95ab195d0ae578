import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { JsonObject } from '../../src/json.ts'
import { signerFor } from '../../src/keys/compact-jws.ts'
import { type PublicKeys, readPublicKeys } from '../../src/keys/public-keys.ts'
import type { SignatureAlgorithm, VerifyingKey } from '../../src/keys/signing-key.ts'

const usual: SignatureAlgorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519']
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const otherEc = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed = generateKeyPairSync('ed25519')
const jwkOf = (key: typeof ec.publicKey, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more }) as JsonObject

function keysOf(jwks: unknown[], algorithms = usual, uses: string[] = []): PublicKeys {
  return readPublicKeys({ keys: jwks as JsonObject[] }, { algorithms, uses }) ?? expect.fail('no set')
}

function refusal(jwk: unknown, algorithms = usual): string {
  const keys = keysOf([jwk], algorithms)
  expect(keys.size).to.equal(0)
  return keys.defects[0]?.message ?? ''
}

const number = (value: bigint) => Buffer.from(value.toString(16).padStart(512, '0'), 'hex').toString('base64url')

/** A modulus with the ROCA fingerprint: a power of 65537 modulo the product of the primes up to 167. */
function rocaModulus(): string {
  const isPrime = (candidate: number) =>
    Array.from({ length: candidate - 2 }, (_, index) => index + 2).every(divisor => candidate % divisor !== 0)
  const product = Array.from({ length: 166 }, (_, index) => index + 2)
    .filter(isPrime)
    .reduce((all, prime) => all * BigInt(prime), 1n)
  let power = 1n
  for (let exponent = 0; exponent < 12_345; exponent++) power = (power * 65_537n) % product
  const high = (1n << 2047n) | BigInt(`0x${randomBytes(200).toString('hex')}`)
  return number((high / product) * product + product + power)
}

describe('public keys', () => {
  it('is no set without keys', () => {
    expect(readPublicKeys({}, { algorithms: usual })).to.equal(undefined)
    expect(readPublicKeys({ keys: {} }, { algorithms: usual })).to.equal(undefined)
  })

  describe('refuses', () => {
    const { n } = rsa.publicKey.export({ format: 'jwk' })
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    const cases: Array<[string, unknown, RegExp, SignatureAlgorithm[]?]> = [
      ['what is no object', 'key', /not a JSON object/],
      ['a symmetric key', { kty: 'oct', k: 'AAAA', alg: 'HS256' }, /symmetric/],
      ['a private EC key', ec.privateKey.export({ format: 'jwk' }), /private/],
      ['a private RSA key', rsa.privateKey.export({ format: 'jwk' }), /private/],
      ['a private member alone', jwkOf(rsa.publicKey, { oth: [] }), /private/],
      ['a public key with k', jwkOf(ec.publicKey, { k: '' }), /private/],
      ['a key for encryption', jwkOf(rsa.publicKey, { use: 'enc' }), /use/],
      ['use with another case', jwkOf(rsa.publicKey, { use: 'Sig' }), /use/],
      ['key_ops without verify', jwkOf(ec.publicKey, { key_ops: ['encrypt'] }), /key_ops/],
      ['key_ops that is no list', jwkOf(ec.publicKey, { key_ops: 'verify' }), /key_ops/],
      ['a kid that is no string', jwkOf(ec.publicKey, { kid: 1 }), /kid/],
      ['an RSA key of 1024 bits', jwkOf(small), /1024 bits/],
      ['e = 1', { kty: 'RSA', n, e: 'AQ' }, /exponent 1|not a valid/],
      ['e = 2', { kty: 'RSA', n, e: 'Ag' }, /exponent 2|not a valid/],
      ['an e that makes checks slow', { kty: 'RSA', n, e: Buffer.alloc(33, 1).toString('base64url') }, /more than 256 bits/],
      ['an even e', { kty: 'RSA', n, e: 'AQAA' }, /exponent|not a valid/],
      ['an even modulus', { kty: 'RSA', n: number((1n << 2047n) + 2n), e: 'AQAB' }, /even|not a valid/],
      ['a ROCA key', { kty: 'RSA', n: rocaModulus(), e: 'AQAB' }, /ROCA/],
      ['a huge RSA key', { kty: 'RSA', n: Buffer.alloc(2048, 0xff).toString('base64url'), e: 'AQAB' }, /16384 bits/],
      ['an unknown curve', { ...jwkOf(ec.publicKey), crv: 'P-257' }, /not a valid/],
      ['secp256k1', jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey), /none of the accepted/],
      ['Ed448', jwkOf(generateKeyPairSync('ed448').publicKey), /none of the accepted|not a valid/],
      ['X25519', jwkOf(generateKeyPairSync('x25519').publicKey), /none of the accepted/],
      ['a point off the curve', { ...jwkOf(ec.publicKey), y: jwkOf(otherEc.publicKey).y }, /not a valid/],
      ['an unknown type', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA' }, /not a valid/],
      ['an algorithm that is not accepted', jwkOf(rsa.publicKey, { alg: 'RS512' }), /none of the accepted/],
      ['an algorithm of another type of key', jwkOf(rsa.publicKey, { alg: 'ES256' }), /none of the accepted/],
      ['alg HS256 on an RSA key', jwkOf(rsa.publicKey, { alg: 'HS256' }), /none of the accepted/],
      ['alg none', jwkOf(ec.publicKey, { alg: 'none' }), /none of the accepted/],
      ['P-256 where only ES384 is accepted', jwkOf(ec.publicKey), /none of the accepted/, ['ES384']],
    ]
    for (const [what, jwk, message, algorithms] of cases) it(what, () => expect(refusal(jwk, algorithms)).to.match(message))

    it('more than a hundred keys', () => {
      const keys = keysOf(Array.from({ length: 103 }, (_, index) => jwkOf(ec.publicKey, { kid: `k${index}` })))
      expect(keys.size).to.equal(100)
      expect(keys.defects).to.have.length(3)
    })

    it('the one bad key of a set, and keeps the good ones', () => {
      const keys = keysOf([{ kty: 'oct', k: 'AAAA' }, jwkOf(ec.publicKey, { kid: 'good' })])
      expect(keys.defects.map(({ index }) => index)).to.deep.equal([0])
      expect(keys.find('ES256', 'good')).to.have.property('kid', 'good')
    })
  })

  it('never takes a sound key for one with the ROCA flaw', () => {
    for (let round = 0; round < 5; round++) {
      expect(keysOf([jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)]).size).to.equal(1)
    }
  })

  it('takes key_ops with verify, and a SPIFFE use where it is wanted', () => {
    expect(keysOf([jwkOf(ec.publicKey, { key_ops: ['verify'], use: 'sig' })]).size).to.equal(1)
    expect(keysOf([jwkOf(ec.publicKey, { use: 'jwt-svid' })]).size).to.equal(0)
    expect(keysOf([jwkOf(ec.publicKey, { use: 'jwt-svid' })], usual, ['jwt-svid']).size).to.equal(1)
    expect(keysOf([jwkOf(ec.publicKey, { use: 'x509-svid' })], usual, ['jwt-svid']).size).to.equal(0)
  })

  describe('the algorithm of a key', () => {
    it('is the one it names', () => {
      const keys = keysOf([jwkOf(rsa.publicKey, { alg: 'PS256' })])
      expect(keys.find('PS256', undefined)).to.have.property('algorithm', 'PS256')
      expect(keys.find('RS256', undefined)).to.equal('unknown')
    })

    it('else the first that is accepted and fits: never two', () => {
      const keys = keysOf([jwkOf(rsa.publicKey)])
      expect(keys.find('RS256', undefined)).to.have.property('algorithm', 'RS256')
      expect(keys.find('PS256', undefined)).to.equal('unknown')
      expect(keysOf([jwkOf(rsa.publicKey)], ['PS256', 'RS256']).find('RS256', undefined)).to.equal('unknown')
    })

    it('has two names for Ed25519', () => {
      const keys = keysOf([jwkOf(ed.publicKey)])
      expect(keys.find('EdDSA', undefined)).to.have.property('algorithm', 'EdDSA')
      expect(keys.find('Ed25519', undefined)).to.have.property('algorithm', 'Ed25519')
      expect(keysOf([jwkOf(ed.publicKey, { alg: 'Ed25519' })]).find('EdDSA', undefined)).to.equal('unknown')
    })
  })

  describe('selection', () => {
    const verifies = async (key: VerifyingKey, pair: typeof ec) => {
      const input = 'e30.e30'
      return key.verify(input, Buffer.from(await signerFor('ES256', pair.privateKey)(input), 'base64url'))
    }

    it('goes by kid, and only by the exact kid', async () => {
      const keys = keysOf([jwkOf(ec.publicKey, { kid: 'a' }), jwkOf(otherEc.publicKey, { kid: 'b' })])
      const found = keys.find('ES256', 'b')
      expect(found).to.be.an('object')
      expect(await verifies(found as VerifyingKey, otherEc)).to.equal(true)
      expect(await verifies(found as VerifyingKey, ec)).to.equal(false)
      for (const kid of ['B', 'b ', '', '../b', 'b\u0000', '__proto__', 'constructor', "' or 1=1"])
        expect(keys.find('ES256', kid)).to.equal('unknown')
    })

    it('needs no kid where one key fits, and one where several do', () => {
      const keys = keysOf([
        jwkOf(ec.publicKey, { kid: 'a' }),
        jwkOf(rsa.publicKey, { kid: 'b' }),
        jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey),
      ])
      expect(keys.find('ES256', undefined)).to.have.property('kid', 'a')
      expect(keys.find('RS256', undefined)).to.equal('ambiguous')
      expect(keys.find('RS256', 'b')).to.have.property('kid', 'b')
    })

    it('does not guess between two keys of one kid', () => {
      const keys = keysOf([jwkOf(ec.publicKey, { kid: 'a' }), jwkOf(otherEc.publicKey, { kid: 'a' }), jwkOf(rsa.publicKey, { kid: 'a' })])
      expect(keys.find('ES256', 'a')).to.equal('ambiguous')
      expect(keys.find('RS256', 'a')).to.have.property('algorithm', 'RS256')
    })

    it('takes a key that is listed twice for one', () => {
      expect(
        keysOf([jwkOf(ec.publicKey, { kid: 'a' }), jwkOf(ec.publicKey, { kid: 'a', x5t: 'AAAA' })]).find('ES256', 'a'),
      ).to.have.property('kid', 'a')
    })

    it('finds nothing under the names that objects have', () => {
      const keys = keysOf([jwkOf(ec.publicKey)])
      for (const algorithm of ['none', 'noNE', 'es256', 'HS256', 'constructor', '__proto__', ''])
        expect(keys.find(algorithm, undefined)).to.equal('unknown')
    })
  })

  it('imports nothing but the public members', () => {
    const key = createPublicKey(ec.privateKey)
    const keys = keysOf([jwkOf(key, { kid: 'a', x5c: ['AAAA'], x5u: 'https://attacker.example', jku: 'https://attacker.example' })])
    expect(keys.size).to.equal(1)
  })
})
