import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { compactDecrypt } from 'jose'
import type { JsonObject } from '../../src/json.ts'
import { decryptCompactJwe, encryptCompactJwe } from '../../src/keys/compact-jwe.ts'
import { contentEncryptionAlgorithms, type KeyManagementAlgorithm, keyManagementAlgorithms } from '../../src/keys/decryption-key.ts'
import { chooseEncryptionKey, encryptionKeyOf, publicKeyFromPem, UnusableKey } from '../../src/keys/encryption-key.ts'
import { type GeneratedKey, generateKey } from '../../src/keys/generate-key.ts'

const algorithm = 'RSA-OAEP-256'

describe('the key that is encrypted for', () => {
  let keys: GeneratedKey[]
  before(async () => {
    keys = await Promise.all([generateKey(algorithm), generateKey(algorithm), generateKey(algorithm)])
  })

  /** A public key of the test without `kid`, `alg` and `use`, with these members. */
  const bare = (index: number, more: object = {}): JsonObject => {
    const { kty, n, e } = keys[index]?.publicJwk ?? {}
    return { kty, n, e, ...more } as JsonObject
  }
  const chosen = async (set: object[], kid?: string) => (await chooseEncryptionKey({ keys: set as JsonObject[] }, { algorithm, kid })).kid
  const complaint = async (set: unknown, kid?: string) => {
    try {
      await chooseEncryptionKey(set as JsonObject, { algorithm, kid })
    } catch (error) {
      expect(error).to.be.instanceOf(UnusableKey)
      return (error as Error).message
    }
    throw new Error('a key was chosen')
  }

  it('is the one whose alg says so, then the one whose use says so, then the first that says nothing', async () => {
    const silent = bare(0, { kid: 'silent' })
    const used = bare(1, { kid: 'used', use: 'enc' })
    const named = bare(2, { kid: 'named', alg: algorithm })
    expect(await chosen([silent, used, named])).to.equal('named')
    expect(await chosen([silent, used])).to.equal('used')
    expect(await chosen([silent, bare(1, { kid: 'wrapping', key_ops: ['wrapKey'] })])).to.equal('wrapping')
    expect(await chosen([silent, bare(1, { kid: 'second' })])).to.equal('silent')
    expect(await chosen([bare(1), silent])).to.equal(undefined)
  })

  it('is the pinned one and no other', async () => {
    const set = [bare(0, { kid: 'a', alg: algorithm, use: 'enc' }), bare(1, { kid: 'b' })]
    expect(await chosen(set, 'b')).to.equal('b')
    expect(await complaint({ keys: set }, 'c')).to.match(/no key to encrypt for.*its kid is another one/)
  })

  const refused: Array<[string, () => unknown, RegExp]> = [
    ['a key for signatures', () => bare(0, { use: 'sig' }), /its use is not enc/],
    ['a key that verifies', () => bare(0, { key_ops: ['verify'] }), /its key_ops/],
    ['a key of a signature algorithm', () => bare(0, { alg: 'RS256' }), /its alg is another one/],
    ['a key of another way to encrypt', () => bare(0, { alg: 'RSA1_5' }), /its alg is another one/],
    ['a private key', () => bare(0, { d: 'AQAB' }), /a private key/],
    ['a symmetric key', () => ({ kty: 'oct', k: 'AQAB' }), /a private key/],
    ['a kid that is no text', () => bare(0, { kid: 1 }), /its kid is not a string/],
    ['a key of another type', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), /does not fit/],
    ['an RSA key of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }), /1024 bits/],
    ['an RSA key with e = 1', () => bare(0, { e: 'AQ' }), /public exponent|not a valid/],
    ['nonsense', () => 'x', /not a JSON object/],
  ]
  for (const [what, key, why] of refused) {
    it(`is never ${what}`, async () => expect(await complaint({ keys: [key()] })).to.match(why))
  }

  it('is not looked for in what is no set', async () => {
    for (const set of [{}, { keys: 'x' }]) expect(await complaint(set)).to.match(/not a JWK Set/)
    expect(await complaint({ keys: [] })).to.match(/no key to encrypt for/)
  })

  it('is not looked for behind a hundred others', async () => {
    const many = Array.from({ length: 100 }, () => 'x')
    expect(await complaint({ keys: [...many, bare(0)] })).to.match(/no key to encrypt for/)
  })

  it('is read from the PEM of a public key or a certificate, never of a private key', () => {
    const { privateKeyPem = '' } = keys[0] ?? {}
    const publicPem = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }).toString()
    expect(publicKeyFromPem(publicPem, 'publicKey')?.asymmetricKeyType).to.equal('rsa')
    for (const text of [privateKeyPem, 'x', '']) expect(publicKeyFromPem(text, 'publicKey')).to.equal(undefined)
    expect(publicKeyFromPem(publicPem, 'certificate')).to.equal(undefined)
  })
})

describe('encrypting', () => {
  const curves: Record<string, object> = {}
  before(() => {
    for (const namedCurve of ['P-256', 'P-384', 'P-521']) curves[namedCurve] = generateKeyPairSync('ec', { namedCurve })
    curves.X25519 = generateKeyPairSync('x25519')
  })
  const pairFor = (name: KeyManagementAlgorithm, curve = 'P-256') =>
    (name.startsWith('RSA') ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : curves[curve]) as ReturnType<typeof generateKeyPairSync>

  for (const name of keyManagementAlgorithms) {
    it(`with ${name} can be decrypted by us, by every content encryption`, async () => {
      const { publicKey, privateKey } = pairFor(name)
      const key = await encryptionKeyOf(publicKey, { algorithm: name, kid: 'k' })
      for (const content of contentEncryptionAlgorithms) {
        const token = await encryptCompactJwe('a.b.c', key, content)
        expect(await decryptCompactJwe(token, [{ id: 'k', kid: 'k', algorithm: name, privateKey }])).to.equal('a.b.c')
      }
    })
  }

  for (const curve of ['P-384', 'P-521', 'X25519']) {
    it(`agrees on a key on ${curve}`, async () => {
      const { publicKey, privateKey } = pairFor('ECDH-ES', curve)
      const token = await encryptCompactJwe('a.b.c', await encryptionKeyOf(publicKey, { algorithm: 'ECDH-ES', kid: undefined }), 'A128GCM')
      expect(Buffer.from((await compactDecrypt(token, privateKey)).plaintext).toString()).to.equal('a.b.c')
    })
  }
})
