import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import type { Client } from '../../src/clients/client.ts'
import { digestSecret } from '../../src/clients/secrets.ts'
import type { IssuerKeys } from '../../src/keys/remote-keys.ts'
import { signatureAlgorithms } from '../../src/keys/signing-key.ts'
import { OAuthError, Outage } from '../../src/oauth/errors.ts'
import { assertion, byHand, type Claims, makeSigner, now, type Signer, usual } from './assertions.ts'
import { client, issuer, secretClient, world } from './client-world.ts'

const refused = 'client-not-authenticated'

describe('clients/private-key-jwt', () => {
  let signer: Signer
  let robot: Client
  before(async () => {
    signer = await makeSigner()
    robot = client('robot', { method: 'private_key_jwt', algorithms: new Set(signatureAlgorithms), keys: signer.keys })
  })

  async function outcomeOf(claims: Claims, header: Claims = {}, clientId?: string): Promise<string> {
    return world(robot).outcome(assertion(await signer.sign(claims, header), clientId))
  }

  describe('takes', () => {
    const good: Record<string, [Claims, Claims?]> = {
      'the usual assertion': [{}],
      'the issuer as an array of one': [{ aud: [issuer] }],
      'no iat and no nbf': [{ iat: undefined }],
      'nbf now': [{ nbf: now }],
      'clocks that differ a little': [{ iat: now + 20, nbf: now + 20, exp: now - 20 }],
      'an hour': [{ exp: now + 3600 }],
      'the type of rfc7523bis': [{}, { typ: 'client-authentication+jwt' }],
      'its long form, in another case': [{}, { typ: 'application/Client-Authentication+JWT' }],
      'the type JWT': [{}, { typ: 'JWT' }],
      'fractions of seconds': [{ exp: now + 60.5, iat: now - 0.5 }],
      'no kid where one key fits': [{}, { kid: undefined }],
      'further claims': [{ foo: 'bar', scope: 'x' }],
    }
    for (const [what, [claims, header]] of Object.entries(good)) {
      it(what, async () => {
        expect(await outcomeOf(claims, header)).to.equal('robot')
      })
    }

    it('client_id that repeats the subject', async () => {
      expect(await outcomeOf({}, {}, 'robot')).to.equal('robot')
    })

    for (const alg of ['RS256', 'PS256', 'ES384', 'EdDSA'] as const) {
      it(alg, async () => {
        const other = await makeSigner(alg)
        const robot2 = client('robot', { method: 'private_key_jwt', algorithms: new Set([alg]), keys: other.keys })
        expect(await world(robot2).outcome(assertion(await other.sign()))).to.equal('robot')
      })
    }
  })

  describe('refuses', () => {
    const endpoint = `${issuer}/token`
    const bad: Record<string, [Claims, Claims?]> = {
      'the token endpoint as audience (Appendix A row 21)': [{ aud: endpoint }],
      'the token endpoint in an array (Appendix A row 21)': [{ aud: [endpoint] }],
      'the issuer and another audience (Appendix A row 21)': [{ aud: [issuer, 'https://other.example'] }],
      'the issuer twice': [{ aud: [issuer, issuer] }],
      'the issuer with a slash': [{ aud: `${issuer}/` }],
      'an array in an array': [{ aud: [[issuer]] }],
      'no audience': [{ aud: undefined }],
      'an empty audience': [{ aud: [] }],
      'null as audience': [{ aud: null }],
      'another iss': [{ iss: 'other' }],
      'no iss': [{ iss: undefined }],
      'another sub': [{ sub: 'other' }],
      'no sub': [{ sub: undefined }],
      'sub as an array': [{ sub: ['robot'] }],
      'no exp': [{ exp: undefined }],
      'exp as a string': [{ exp: String(now + 60) }],
      'exp null': [{ exp: null }],
      'an expired assertion': [{ exp: now - 30 }],
      'exp beyond an hour': [{ exp: now + 3631 }],
      'exp in milliseconds': [{ exp: (now + 60) * 1000 }],
      'nbf in the future': [{ nbf: now + 31 }],
      'nbf as a string': [{ nbf: '0' }],
      'iat in the future': [{ iat: now + 31 }],
      'iat of yesterday': [{ iat: now - 86_400 }],
      'iat as a string': [{ iat: 'now' }],
      'no jti': [{ jti: undefined }],
      'an empty jti': [{ jti: '' }],
      'jti as a number': [{ jti: 1 }],
      'an access token': [{}, { typ: 'at+jwt' }],
      'a DPoP proof': [{}, { typ: 'dpop+jwt' }],
      'an ID-JAG': [{}, { typ: 'oauth-id-jag+jwt' }],
      'an unknown kid': [{}, { kid: 'k2' }],
    }
    for (const [what, [claims, header]] of Object.entries(bad)) {
      it(what, async () => {
        expect(await outcomeOf(claims, header)).to.equal(refused)
      })
    }

    it('client_id that names another client', async () => {
      expect(await outcomeOf({}, {}, 'other')).to.equal(refused)
    })

    const text = (value: Claims) => JSON.stringify(value)
    const forged: Record<string, () => string> = {
      'alg none': () => byHand({ alg: 'none' }, usual({}), ''),
      'alg none with a signature': () => byHand({ alg: 'none' }, usual({})),
      'alg noNE': () => byHand({ alg: 'noNE' }, usual({})),
      'HS256 keyed with the public key': () => {
        const input = byHand({ alg: 'HS256', kid: 'k1' }, usual({})).split('.').slice(0, 2).join('.')
        return `${input}.${createHmac('sha256', signer.pem).update(input).digest('base64url')}`
      },
      'a made-up signature': () => byHand({ alg: 'ES256', kid: 'k1' }, usual({}), Buffer.alloc(64).toString('base64url')),
      'an infinite exp': () => byHand({ alg: 'ES256', kid: 'k1' }, text(usual({ exp: 0 })).replace('"exp":0', '"exp":1e999')),
      'a claim named twice': () => byHand({ alg: 'ES256', kid: 'k1' }, text(usual({})).replace('{', '{"sub":"robot",')),
      'claims that are an array': () => byHand({ alg: 'ES256', kid: 'k1' }, '[]'),
      'no JSON': () => byHand({ alg: 'ES256', kid: 'k1' }, '{'),
      'no JWT': () => 'robot',
      'two parts': () => 'a.b',
      'five parts': () => 'a.b.c.d.e',
      'something long': () => `a.${'A'.repeat(200_000)}.c`,
      nothing: () => '',
      'sub __proto__': () => byHand({ alg: 'ES256', kid: 'k1' }, usual({ iss: '__proto__', sub: '__proto__' })),
    }
    for (const [what, make] of Object.entries(forged)) {
      it(`${what}, without asking the store`, async () => {
        const { outcome, calls } = world(robot)
        expect(await outcome(assertion(make()))).to.equal(refused)
        expect(calls).to.deep.equal([])
      })
    }

    it('an assertion that somebody else signed', async () => {
      const other = await makeSigner()
      expect(await world(robot).outcome(assertion(await other.sign()))).to.equal(refused)
    })

    it('an assertion of another client, with its own key', async () => {
      const other = await makeSigner('ES256', 'other')
      const { outcome } = world(robot, client('other', { method: 'private_key_jwt', algorithms: new Set(['ES256']), keys: other.keys }))
      expect(await outcome(assertion(await other.sign()))).to.equal('other')
      expect(await outcome(assertion(await other.sign({ iss: 'robot', sub: 'robot' })))).to.equal(refused)
    })

    it('an algorithm that the client does not use', async () => {
      const strict = client('robot', { method: 'private_key_jwt', algorithms: new Set(['RS256']), keys: signer.keys })
      expect(await world(strict).outcome(assertion(await signer.sign()))).to.equal(refused)
    })

    it('an assertion of a client that uses a secret, and of nobody', async () => {
      const { outcome } = world(secretClient('robot', [{ hash: digestSecret('x'), until: undefined }]))
      expect(await outcome(assertion(await signer.sign()))).to.equal(refused)
      expect(await world().outcome(assertion(await signer.sign()))).to.equal(refused)
    })

    it('a secret of a client that signs', async () => {
      expect(await world(robot).outcome({ method: 'client_secret_basic', candidates: [{ clientId: 'robot', secret: '' }] })).to.equal(
        refused,
      )
    })

    it('everything in the same words', async () => {
      const { authenticator } = world(robot)
      for (const text of ['', byHand({ alg: 'none' }, usual({})), await signer.sign({ aud: 'x' }), await signer.sign({ sub: 'x' })]) {
        const error = await authenticator.authenticate(assertion(text), '').catch((reason: unknown) => reason)
        expect(error).to.be.instanceOf(OAuthError).with.property('message', 'the client could not be authenticated')
      }
    })
  })

  it('tells keys that cannot be had from keys that do not fit', async () => {
    const keys: IssuerKeys = { find: () => Promise.reject(new Outage('unreachable')) }
    const remote = client('robot', { method: 'private_key_jwt', algorithms: new Set(['ES256']), keys })
    expect(await world(remote).outcome(assertion(await signer.sign()))).to.equal('Outage')
  })

  it('is not slowed: there is nothing to guess', async () => {
    const { outcome, calls } = world(robot)
    for (let time = 0; time < 15; time++) expect(await outcome(assertion(await signer.sign({ aud: 'x' })))).to.equal(refused)
    expect(await outcome(assertion(await signer.sign()))).to.equal('robot')
    expect(calls.filter(call => call.startsWith('increment'))).to.deep.equal([])
  })
})
