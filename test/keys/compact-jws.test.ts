import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { CompactSign, compactVerify } from 'jose'
import { algorithmDetails } from '../../src/keys/algorithms.ts'
import { CompactJwsReader, decodeJsonObject, longestToken, mediaType, signerFor, verifierFor } from '../../src/keys/compact-jws.ts'
import { type SignatureAlgorithm, signatureAlgorithms } from '../../src/keys/signing-key.ts'
import { TokenRejected } from '../../src/oauth/errors.ts'

const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const read = (token: string) => new CompactJwsReader().read(token)

const pairs = new Map<SignatureAlgorithm, { privateKey: KeyObject; publicKey: KeyObject }>()
function pairFor(algorithm: SignatureAlgorithm) {
  const known = pairs.get(algorithm)
  if (known !== undefined) return known
  const { keyType, curve = 'P-256' } = algorithmDetails[algorithm]
  const pair =
    keyType === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : keyType === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: curve })
        : generateKeyPairSync('ed25519')
  pairs.set(algorithm, pair)
  return pair
}

async function signed(algorithm: SignatureAlgorithm, payload: string, header: object = {}): Promise<string> {
  const input = `${encode({ alg: algorithm, ...header })}.${encode(payload)}`
  return `${input}.${await signerFor(algorithm, pairFor(algorithm).privateKey)(input)}`
}

function accepts(token: string, algorithm: SignatureAlgorithm, key = pairFor(algorithm).publicKey): boolean {
  try {
    const jws = read(token)
    return jws.header.alg === algorithm && verifierFor(algorithm, key)(jws.signingInput, jws.signature)
  } catch (error) {
    if (error instanceof TokenRejected) return false
    throw error
  }
}

describe('compact JWS', () => {
  describe('against jose', () => {
    for (const algorithm of signatureAlgorithms) {
      it(`${algorithm}: what we sign jose verifies`, async () => {
        const token = await signed(algorithm, '{"sub":"alice"}')
        const { payload } = await compactVerify(token, pairFor(algorithm).publicKey)
        expect(Buffer.from(payload).toString()).to.equal('{"sub":"alice"}')
      })

      it(`${algorithm}: what jose signs we verify, and nothing that differs by a byte`, async () => {
        const { privateKey } = pairFor(algorithm)
        const token = await new CompactSign(randomBytes(200)).setProtectedHeader({ alg: algorithm }).sign(privateKey)
        expect(accepts(token, algorithm)).to.equal(true)
        const { signature } = read(token)
        for (const at of [0, signature.length >> 1, signature.length - 1]) {
          const bent = Buffer.from(signature)
          bent.writeUInt8(bent.readUInt8(at) ^ 1, at)
          expect(accepts(`${token.slice(0, token.lastIndexOf('.'))}.${bent.toString('base64url')}`, algorithm)).to.equal(false)
        }
      })
    }

    it('a signature in DER, as other protocols have it, is refused', () => {
      const input = `${encode({ alg: 'ES256' })}.${encode('{}')}`
      const der = sign('sha256', Buffer.from(input), pairFor('ES256').privateKey)
      expect(accepts(`${input}.${der.toString('base64url')}`, 'ES256')).to.equal(false)
    })
  })

  describe("Wycheproof's vectors", () => {
    const files: Array<[SignatureAlgorithm, string]> = [
      ['ES256', 'ecdsa_secp256r1_sha256_p1363'],
      ['ES384', 'ecdsa_secp384r1_sha384_p1363'],
      ['ES512', 'ecdsa_secp521r1_sha512_p1363'],
      ['Ed25519', 'ed25519'],
      ['RS256', 'rsa_signature_2048_sha256'],
      ['RS384', 'rsa_signature_2048_sha384'],
      ['RS512', 'rsa_signature_2048_sha512'],
      ['PS256', 'rsa_pss_2048_sha256_mgf1_32'],
      ['PS384', 'rsa_pss_2048_sha384_mgf1_48'],
      ['PS512', 'rsa_pss_4096_sha512_mgf1_64'],
    ]
    interface Vectors {
      testGroups: Array<{ publicKeyPem: string; tests: Array<{ tcId: number; comment: string; msg: string; sig: string; result: string }> }>
    }
    for (const [algorithm, file] of files) {
      it(`${algorithm}: ${file}`, () => {
        const vectors = JSON.parse(readFileSync(new URL(`../vectors/wycheproof/${file}_test.json`, import.meta.url), 'utf8')) as Vectors
        let ran = 0
        for (const { publicKeyPem, tests } of vectors.testGroups) {
          const verify = verifierFor(algorithm, createPublicKey(publicKeyPem))
          for (const { tcId, comment, msg, sig, result } of tests) {
            // The signing input of a JWS is ASCII; these messages are any bytes, which latin1 carries unchanged.
            const valid = verify(Buffer.from(msg, 'hex').toString('latin1'), Buffer.from(sig, 'hex'))
            if (result === 'acceptable') continue
            expect(valid, `${tcId}: ${comment}`).to.equal(result === 'valid')
            ran++
          }
        }
        expect(ran).to.be.greaterThan(50)
      })
    }
  })

  // The categories of Wycheproof's JSON Web Signature set, made with keys of our own.
  describe('the categories of the JSON Web Signature vectors', () => {
    const algorithms: SignatureAlgorithm[] = ['ES256', 'ES512', 'RS256', 'PS256', 'Ed25519']
    for (const algorithm of algorithms) {
      it(`${algorithm}: modified, missing, extra and swapped parts`, async () => {
        const token = await signed(algorithm, 'foo', { kid: 'k' })
        const [header = '', payload = '', signature = ''] = token.split('.')
        const flipped = `${signature.startsWith('X') ? 'Y' : 'X'}${signature.slice(1)}`
        expect(accepts(token, algorithm)).to.equal(true)
        for (const bad of [
          `${header}.${payload}.${flipped}`,
          `${header}.${payload}.`,
          `${header}.${payload}`,
          `${header}.WG9v.${signature}`,
          `${header}..${signature}`,
          `${header}.${signature}`,
          `${encode({ alg: algorithm, kid: 'x' })}.${payload}.${signature}`,
          `.${payload}.${signature}`,
          `${payload}.${signature}`,
          `.${payload}.`,
          payload,
          '',
          `${token}.`,
          `${token}.foo`,
          `${token}=`,
          `${encode({ alg: 'none', kid: 'k' })}.${payload}.`,
          JSON.stringify({ payload, signatures: [{ protected: header, header: { unknown: 'untrustworthy' }, signature }] }),
          JSON.stringify({ payload, protected: header, signature }),
          ` ${token}`,
          `${token}\n`,
          `${header}.${payload}.${signature.slice(0, -4)}`,
          `${header}.${payload}.${signature}AAAA`,
        ]) {
          expect(accepts(bad, algorithm), bad.slice(0, 80)).to.equal(false)
        }
      })
    }

    it('a key is used with its own algorithm only', async () => {
      const rsa = pairFor('RS256').publicKey
      const input = `${encode({ alg: 'PS256' })}.${encode('foo')}`
      const pss = `${input}.${await signerFor('PS256', pairFor('RS256').privateKey)(input)}`
      expect(accepts(pss, 'PS256', rsa)).to.equal(true)
      expect(verifierFor('RS256', rsa)(read(pss).signingInput, read(pss).signature)).to.equal(false)
    })
  })

  describe('headers', () => {
    const token = (header: unknown) => `${encode(header)}.${encode('{}')}.AAAA`
    const refused: Array<[string, unknown]> = [
      ['no object', '[]'],
      ['no JSON', '{alg:1}'],
      ['two values', '{}{}'],
      ['a member twice', '{"alg":"none","alg":"ES256"}'],
      ['a member twice, once escaped', '{"alg":"none","\\u0061lg":"ES256"}'],
      ['no alg', {}],
      ['alg a number', { alg: 1 }],
      ['alg null', { alg: null }],
      ['alg a list', { alg: ['ES256'] }],
      ['kid a number', { alg: 'ES256', kid: 1 }],
      ['typ an object', { alg: 'ES256', typ: {} }],
      ['crit', { alg: 'ES256', crit: ['exp'] }],
      ['an empty crit', { alg: 'ES256', crit: [] }],
      ['b64', { alg: 'ES256', b64: true }],
      ['a byte order mark', '\ufeff{"alg":"ES256"}'],
    ]
    for (const [what, header] of refused) it(`refuses ${what}`, () => expect(() => read(token(header))).to.throw(TokenRejected))

    it('refuses bytes that are not UTF-8', () => {
      const bytes = Buffer.concat([Buffer.from('{"alg":"ES256","x":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])
      expect(() => read(`${bytes.toString('base64url')}.e30.AAAA`)).to.throw(TokenRejected)
    })

    it('never says what the token holds', () => {
      for (const [, header] of refused) {
        expect(() => read(token(header))).to.throw(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/)
      }
    })

    it('typ is a media type', () => {
      expect(read(token({ alg: 'ES256', typ: 'Application/AT+JWT' })).header.type).to.equal('at+jwt')
      expect(mediaType('application/vnd.x/y')).to.equal('application/vnd.x/y')
      expect(mediaType('text/plain')).to.equal('text/plain')
    })

    it('remembers headers without mixing them up', () => {
      const reader = new CompactJwsReader()
      for (let round = 0; round < 2; round++) {
        for (let index = 0; index < 600; index++)
          expect(reader.read(token({ alg: 'ES256', kid: `k${index}` })).header.kid).to.equal(`k${index}`)
      }
    })
  })

  describe('encoding', () => {
    it('refuses other spellings of the same bytes', () => {
      expect(decodeJsonObject('e30')).to.deep.equal({})
      expect(decodeJsonObject('e31')).to.equal(undefined)
      expect(decodeJsonObject('e')).to.equal(undefined)
      for (const spelling of ['e30=', 'e 30', 'e30\n', 'e+0', 'e/0'])
        expect(() => read(`${encode({ alg: 'ES256' })}.${spelling}.AAAA`)).to.throw(TokenRejected)
      expect(() => read(`${encode({ alg: 'ES256' })}.e30.AB`)).to.throw(TokenRejected)
    })

    it('refuses what is too long', () => {
      expect(() => read(`${encode({ alg: 'ES256' })}.${'A'.repeat(longestToken)}.AAAA`)).to.throw(TokenRejected, 'longer')
    })

    it('a payload that is nested too deeply is no object, and no failure', () => {
      for (const depth of [2_000, 12_000]) {
        expect(decodeJsonObject(encode(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`)), `${depth}`).to.equal(undefined)
        expect(decodeJsonObject(encode(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)), `${depth}`).to.equal(undefined)
      }
    })
  })

  it('whatever is changed in a token, it is refused', async () => {
    const token = await signed('ES256', '{"sub":"alice"}', { kid: 'k', typ: 'JWT' })
    const alphabet = [...'ABCabc019-_.=+/ "{}\u0000é']
    fc.assert(
      fc.property(
        fc.nat(token.length),
        fc.constantFrom('replace', 'insert', 'delete'),
        fc.constantFrom(...alphabet),
        (at, how, character) => {
          const rest = token.slice(how === 'insert' ? at : at + 1)
          const mutated = `${token.slice(0, at)}${how === 'delete' ? '' : character}${rest}`
          return mutated === token || !accepts(mutated, 'ES256')
        },
      ),
      { numRuns: 2_000 },
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => !accepts(text, 'ES256')),
      { numRuns: 1_000 },
    )
  })
})
