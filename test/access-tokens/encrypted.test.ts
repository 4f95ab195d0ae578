import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { expect } from 'chai'
import { CompactEncrypt, compactDecrypt, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import type { KeyManagementAlgorithm } from '../../src/keys/decryption-key.ts'
import { generateKey } from '../../src/keys/generate-key.ts'
import { selfSignedCertificate } from '../../src/keys/self-signed-certificate.ts'
import { type Files, issuer, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import type { Parameters } from '../support/running-server.ts'
import { watchedStore } from '../support/stores.ts'
import { type Claims, expectError, serverFor } from '../support/world.ts'

const ways: Array<[KeyManagementAlgorithm, string]> = [
  ['RSA-OAEP-256', 'A256GCM'],
  ['RSA-OAEP-256', 'A128CBC-HS256'],
  ['ECDH-ES', 'A128GCM'],
  ['ECDH-ES+A128KW', 'A256GCM'],
  ['ECDH-ES+A256KW', 'A128CBC-HS256'],
]

/** A reader of tokens: an API with a key of its own. */
interface Reader {
  readonly kid: string
  readonly publicJwk: object
  readonly privateKey: KeyObject
}

async function makeReader(algorithm: KeyManagementAlgorithm): Promise<Reader> {
  const { kid, publicJwk, privateKeyPem } = await generateKey(algorithm)
  return { kid, publicJwk, privateKey: createPrivateKey(privateKeyPem) }
}

/** The usual files with more access token managers like `api`, each with its settings, taken back as `own`. */
function withManagers(files: Files, managers: Record<string, object>): Files {
  const { issues } = files['policies/processor-policies/people.json'] as { issues: object[] }
  const api = files['policies/access-token-managers/api.json'] as object
  const { accessTokenManagers } = files['policies/token-processors/own.json'] as { accessTokenManagers: string[] }
  const [usual] = issues
  return patched(files, {
    ...Object.fromEntries(
      Object.entries(managers).map(([id, settings]) => [
        `policies/access-token-managers/${id}.json`,
        { ...api, resources: [], audiences: [id], ...settings },
      ]),
    ),
    'policies/token-processors/own.json': { accessTokenManagers: [...accessTokenManagers, ...Object.keys(managers)] },
    'policies/processor-policies/people.json': {
      issues: [...issues, ...Object.keys(managers).map(accessTokenManager => ({ ...usual, accessTokenManager }))],
    },
  })
}

describe('an encrypted access token', () => {
  const readers = new Map<string, Reader>()
  const store = watchedStore()
  const at = serverFor(
    async files => {
      const managers: Record<string, object> = {}
      for (const [keyEncryption, contentEncryption] of ways) {
        const id = `${keyEncryption}-${contentEncryption}`.replaceAll('+', '-')
        const reader = await makeReader(keyEncryption)
        readers.set(id, reader)
        managers[id] = { encryption: { jwks: { keys: [reader.publicJwk] }, keyEncryption, contentEncryption } }
      }
      const reader = await makeReader('RSA-OAEP-256')
      const pem = createPublicKey(reader.privateKey).export({ type: 'spki', format: 'pem' }).toString()
      const certificate = { commonName: 'api', notBefore: new Date(), days: 90 }
      readers.set('by-key', reader).set('by-certificate', reader)
      managers['by-key'] = { encryption: { publicKey: { file: 'secrets/reader.pem' }, kid: 'their-name' } }
      managers['by-certificate'] = { encryption: { certificate: { file: 'secrets/reader.crt' } } }
      return {
        ...withManagers(files, managers),
        'secrets/reader.pem': pem,
        'secrets/reader.crt': selfSignedCertificate(reader.privateKey, certificate),
      }
    },
    { store: store.open },
  )

  async function sealed(audience: string, parameters: Parameters = {}): Promise<string> {
    const answer = await at.exchange({ audience, ...parameters })
    expect(answer.status, answer.text).to.equal(200)
    return String(answer.json.access_token)
  }

  /** What the reader finds: the signed token, which verifies by `/jwks` as any other. */
  async function opened(token: string, { privateKey }: Reader): Promise<string> {
    const { plaintext } = await compactDecrypt(token, privateKey)
    return Buffer.from(plaintext).toString()
  }

  const readerOf = (id: string) => readers.get(id) ?? expect.fail(`nobody reads ${id}`)
  const first = 'RSA-OAEP-256-A256GCM'

  for (const [alg, enc] of ways) {
    it(`by ${alg} and ${enc} holds a signed one (RFC 7519 section 5.2)`, async () => {
      const id = `${alg}-${enc}`.replaceAll('+', '-')
      const reader = readerOf(id)
      const token = await sealed(id)
      expect(decodeProtectedHeader(token)).to.include({ alg, enc, cty: 'JWT', kid: reader.kid }).and.not.have.property('zip')
      const { keys } = (await at.server.request('GET', '/jwks')).json as unknown as JSONWebKeySet
      const { payload, protectedHeader } = await jwtVerify(await opened(token, reader), keys[0] as object, { issuer, typ: 'at+jwt' })
      expect(payload).to.include({ sub: 'alice', aud: 'https://api.example.com', email: 'alice@example.com' })
      expect(protectedHeader.atm).to.equal(id)
    })
  }

  it('is for the key of a PEM, which the header calls as the file says', async () => {
    const token = await sealed('by-key')
    expect(decodeProtectedHeader(token).kid).to.equal('their-name')
    expect(decodeJwt(await opened(token, readerOf('by-key'))).sub).to.equal('alice')
  })

  it('is for the key of a certificate, which the header does not name', async () => {
    const token = await sealed('by-certificate')
    expect(decodeProtectedHeader(token)).to.not.have.property('kid')
    expect(decodeJwt(await opened(token, readerOf('by-certificate'))).sub).to.equal('alice')
  })

  it('says nothing to whoever carries it', async () => {
    const parts = (await sealed(first)).split('.').map(part => Buffer.from(part, 'base64url').toString('latin1'))
    for (const part of parts) expect(part).to.not.match(/alice|example|gateway/)
  })

  for (const form of ['as it was issued', 'as its reader opened it']) {
    describe(form, () => {
      const inForm = async (token: string) => (form === 'as it was issued' ? token : await opened(token, readerOf(first)))

      it('is introspected', async () => {
        const token = await inForm(await sealed(first, { scope: 'orders.read' }))
        const shown = { active: true, sub: 'alice', client_id: 'gateway', scope: 'orders.read', aud: 'https://api.example.com' }
        for (const client of ['gateway', 'api']) expect(await at.introspect(token, client)).to.include(shown)
        expect(await at.introspect(token, 'stranger')).to.deep.equal({ active: false })
      })

      it('is exchanged', async () => {
        const issued = await sealed(first)
        const { jti } = decodeJwt(await opened(issued, readerOf(first)))
        const { claims } = await at.issued(at.ownAs(await inForm(issued)))
        expect(claims).to.deep.include({ sub: 'alice', anc: [jti] })
      })

      it('is revoked, in both forms and with what was exchanged from it', async () => {
        const issued = await sealed(first)
        const signed = await opened(issued, readerOf(first))
        const child = await at.own(at.ownAs(issued))
        await at.revoke(await inForm(issued))
        for (const token of [issued, signed, child]) expect(await at.introspect(token)).to.deep.equal({ active: false })
        await at.refused(at.ownAs(await inForm(issued)), 'invalid_request', /no access token of this server that is valid now/)
      })
    })
  }

  it('is no token of ours when somebody else has encrypted it', async () => {
    const signed = await opened(await sealed(first), readerOf(first))
    const again = await new CompactEncrypt(Buffer.from(signed))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid: readerOf(first).kid })
      .encrypt(createPublicKey(readerOf(first).privateKey))
    expect(await at.introspect(again)).to.deep.equal({ active: false })
    expect(await at.introspect(signed)).to.include({ active: true })
  })

  it('is no token of ours with another last letter', async () => {
    const token = await sealed(first)
    const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`
    expect(await at.introspect(changed)).to.deep.equal({ active: false })
    expect(await at.introspect(token)).to.include({ active: true })
  })

  it('ends when it ends', async () => {
    const token = await sealed(first)
    at.server.advance(601)
    expect(await at.introspect(token)).to.deep.equal({ active: false })
  })

  it('leaves nothing in the store that could be used', async () => {
    store.calls.length = 0
    const token = await sealed(first)
    expect(store.calls.map(({ method }) => method)).to.deep.equal(['put'])
    const text = JSON.stringify(store.calls)
    expect(text).to.not.include(token)
    expect(text).to.not.include(await opened(token, readerOf(first)))
  })

  it('is not given when the store cannot keep it, since nobody could call it back', async () => {
    store.isDown = ({ method }) => method === 'put'
    const answer = await at.exchange({ audience: first })
    store.isDown = () => false
    expectError(answer, 'temporarily_unavailable')
  })
})

describe('an access token for the key at an address', () => {
  const address = 'https://reader.example/jwks'
  let reader: Reader
  let served: { keys: object[] } | undefined
  let asked = 0
  const fetch = async () => {
    asked++
    const body = JSON.stringify(served ?? {})
    return {
      status: served === undefined ? 500 : 200,
      headers: new Headers(),
      text: async () => body,
      bytes: async () => Buffer.from(body),
    }
  }
  const at = serverFor(
    async files => {
      reader = await makeReader('ECDH-ES+A256KW')
      const encryption = { jwksUri: address, keyEncryption: 'ECDH-ES+A256KW' }
      return patched(withManagers(files, { remote: { encryption } }), { 'policies/token-processors/people.json': { once: true } })
    },
    { fetch },
  )

  const kidOf = (answer: { json: Claims }) => decodeProtectedHeader(String(answer.json.access_token)).kid

  it('is not made while the key cannot be had: 503, nothing in the clear, and the subject token is not used up', async () => {
    served = undefined
    const subject_token = await at.person()
    const answer = await at.exchange({ subject_token, audience: 'remote' })
    expectError(answer, 'temporarily_unavailable')
    expect(answer.json).to.not.have.property('access_token')
    expect(Number(answer.headers.get('retry-after'))).to.be.at.least(1)
    served = { keys: [reader.publicJwk] }
    at.server.advance(11)
    const again = await at.exchange({ subject_token, audience: 'remote' })
    expect(again.status, again.text).to.equal(200)
    expect(kidOf(again)).to.equal(reader.kid)
  })

  it('asks once for many tokens', async () => {
    const before = asked
    for (let time = 0; time < 3; time++) expect((await at.exchange({ audience: 'remote' })).status).to.equal(200)
    expect(asked).to.equal(before)
  })

  it('takes the new key when the reader has changed it, and the old one while there is no answer', async () => {
    const other = await makeReader('ECDH-ES+A256KW')
    served = { keys: [other.publicJwk] }
    at.server.advance(700)
    expect(kidOf(await at.exchange({ audience: 'remote' }))).to.equal(other.kid)
    served = undefined
    at.server.advance(700)
    expect(kidOf(await at.exchange({ audience: 'remote' }))).to.equal(other.kid)
    at.server.advance(90_000)
    expectError(await at.exchange({ audience: 'remote' }), 'temporarily_unavailable')
  })

  it('is not made for a set with keys for signatures only', async () => {
    served = { keys: [(await generateKey('ES256')).publicJwk] }
    at.server.advance(90_000)
    expectError(await at.exchange({ audience: 'remote', subject_token: await at.person() }), 'temporarily_unavailable')
  })

  it('is asked for as any JWT', async () => {
    served = { keys: [reader.publicJwk] }
    at.server.advance(90_000)
    const answer = await at.exchange({ audience: 'remote', requested_token_type: types.jwt })
    expect(answer.json).to.include({ issued_token_type: types.jwt, token_type: 'Bearer' })
  })
})
