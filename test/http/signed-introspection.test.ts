import { createPrivateKey } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { expect } from 'chai'
import { compactDecrypt, createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose'
import { generateKey } from '../../src/keys/generate-key.ts'
import { type Files, issuer, patched, secretOf } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { type Answer, basic, encodeForm } from '../support/running-server.ts'
import { expectError, serverFor } from '../support/world.ts'

const type = 'application/token-introspection+jwt'
const inactive = { active: false }

describe('signed answers of POST /introspect (RFC 9701)', () => {
  let reader: Awaited<ReturnType<typeof generateKey>>
  let robot: typeof reader
  let fetchable = true
  const fetch = async () => {
    const body = JSON.stringify({ keys: [reader.publicJwk] })
    return { status: fetchable ? 200 : 503, headers: new Headers(), text: async () => body }
  }
  const at = serverFor(
    async files => {
      reader = await generateKey('RSA-OAEP-256')
      robot = await generateKey('RS256')
      const withKey = { ...files, 'secrets/answers.pem': (await generateKey('RS256')).privateKeyPem }
      return signing(withKey, { jwks: { keys: [reader.publicJwk] } }, { keys: [robot.publicJwk] })
    },
    { fetch },
  )

  async function ask(token: string, client: string, accept?: string): Promise<Answer> {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: basic(client, secretOf(client)),
      ...(accept !== undefined && { accept }),
    }
    return at.server.request('POST', '/introspect', encodeForm({ token }), headers)
  }

  /** What a signed answer says, after everything that an API checks. */
  async function verified(answer: Answer, client: string) {
    expect(answer.status, answer.text).to.equal(200)
    expect(answer.headers.get('content-type')).to.equal(type)
    return (await verify(answer.text, client)).payload
  }

  async function verify(jwt: string, audience: string) {
    const keys = createLocalJWKSet((await at.server.request('GET', '/jwks')).json as unknown as JSONWebKeySet)
    return jwtVerify(jwt, keys, { issuer, audience, typ: 'token-introspection+jwt', algorithms: ['RS256'] })
  }

  it('hold what a plain one says, and nothing else at the top', async () => {
    const token = await at.own({ scope: 'orders.read' })
    const answer = await ask(token, 'api', type)
    const { iat, ...claims } = await verified(answer, 'api')
    expect(claims).to.deep.equal({ iss: issuer, aud: 'api', token_introspection: await at.introspect(token, 'api') })
    expect(claims.token_introspection).to.deep.include({ active: true, sub: 'alice', scope: 'orders.read', token_type: 'Bearer' })
    expect(iat).to.satisfy(Number.isInteger)
    expect(decodeProtectedHeader(answer.text)).to.have.all.keys('alg', 'typ', 'kid')
    expect(answer.headers.get('cache-control')).to.equal('no-store')
  })

  describe('tell', () => {
    it('of reference tokens', async () => {
      const token = await at.own({ audience: 'billing' })
      expect((await verified(await ask(token, 'billing', type), 'billing')).token_introspection).to.include({ active: true, sub: 'alice' })
    })

    it('of tokens for the client that asks, and of no others: not even of its own (section 5)', async () => {
      const token = await at.own()
      expect(await at.introspect(token, 'gateway')).to.include({ active: true })
      for (const client of ['gateway', 'stranger'])
        expect((await verified(await ask(token, client, type), client)).token_introspection).to.deep.equal(inactive)
    })

    it('of what is unknown, expired or revoked, that it is not active, and no more', async () => {
      const revoked = await at.own()
      await at.revoke(revoked)
      const expired = await at.own()
      at.server.advance(601)
      for (const token of ['x', 'a.b.c.d.e', revoked, expired])
        expect((await verified(await ask(token, 'api', type), 'api')).token_introspection).to.deep.equal(inactive)
    })
  })

  describe('are given', () => {
    const wishes: Array<[accept: string | undefined, form: 'json' | 'jwt' | 'neither']> = [
      [undefined, 'json'],
      ['*/*', 'json'],
      ['application/*', 'json'],
      ['application/json', 'json'],
      ['application/json, */*', 'json'],
      [`application/json, ${type};q=0.9`, 'json'],
      [`${type};q=0, */*`, 'json'],
      [type, 'jwt'],
      [type.toUpperCase(), 'jwt'],
      [`${type}, */*;q=0.1`, 'jwt'],
      [`${type}, application/json`, 'jwt'],
      [`${type}, */*`, 'jwt'],
      [`application/json;q=0.5, ${type};q=0.6`, 'jwt'],
      ['application/json;q=0, application/*', 'jwt'],
      ['text/html', 'neither'],
      [`${type};q=0, application/json;q=0`, 'neither'],
      ['application/jwt', 'neither'],
    ]
    for (const [accept, form] of wishes) {
      it(`${form === 'jwt' ? '' : form === 'json' ? 'not ' : 'not, nor anything else, '}for Accept: ${accept ?? '(none, as old clients)'}`, async () => {
        const answer = accept === undefined ? await withoutAccept('gateway') : await ask('x', 'gateway', accept)
        if (form === 'neither') {
          expect(answer.status).to.equal(406)
          expect(answer.json).to.include({ error: 'invalid_request' })
        } else expect(answer.headers.get('content-type')).to.equal(form === 'jwt' ? type : 'application/json')
      })
    }

    // `fetch` always sends one.
    async function withoutAccept(client: string): Promise<Pick<Answer, 'headers' | 'status' | 'json'>> {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: basic(client, secretOf(client)) }
      return new Promise((resolve, reject) => {
        const outgoing = httpRequest(`${at.server.url}/introspect`, { method: 'POST', headers }, incoming => {
          incoming.resume()
          const received = new Headers({ 'content-type': String(incoming.headers['content-type']) })
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: received, json: {} }))
        })
        outgoing.on('error', reject)
        outgoing.end('token=x')
      })
    }
  })

  describe('of a client whose file wants them', () => {
    it('are given without being asked for', async () => {
      const token = await at.own()
      for (const accept of ['*/*', 'application/*', type])
        expect((await verified(await ask(token, 'signed', accept), 'signed')).token_introspection).to.include({ active: true })
    })

    it('are given, or nothing is', async () => {
      const answer = await ask(await at.own(), 'signed', 'application/json')
      expect(answer.status).to.equal(406)
      expect(answer.text).to.not.include('alice')
    })
  })

  describe('of a client with a key', () => {
    it('are encrypted around the signature, whatever form is asked for', async () => {
      const token = await at.own()
      for (const accept of ['*/*', type]) {
        const answer = await ask(token, 'sealed', accept)
        expect(answer.headers.get('content-type')).to.equal(type)
        const { plaintext, protectedHeader } = await compactDecrypt(answer.text, createPrivateKey(reader.privateKeyPem))
        expect(protectedHeader).to.include({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid: reader.kid })
        const { payload } = await verify(Buffer.from(plaintext).toString(), 'sealed')
        expect(payload.token_introspection).to.include({ active: true, sub: 'alice' })
      }
      expect((await ask(token, 'sealed', 'application/json')).status).to.equal(406)
    })

    it('are not given in the clear while the key cannot be fetched: 503', async () => {
      const token = await at.own()
      fetchable = false
      const answer = await ask(token, 'remote', type)
      expectError(answer, 'temporarily_unavailable')
      expect(answer.text).to.not.include('alice')
      fetchable = true
      at.server.advance(11)
      const again = await ask(token, 'remote', type)
      expect(decodeProtectedHeader(again.text)).to.include({ alg: 'RSA-OAEP-256', kid: reader.kid })
    })
  })

  describe('are no tokens:', () => {
    let answer: string
    before(async () => {
      // For the client `api`, about a token for `api`, and with this server as issuer.
      answer = (await ask(await at.own(), 'api', type)).text
    })

    it('not as a subject token, by whichever type', async () => {
      for (const [subject_token_type, why] of [
        [types.accessToken, /no access token of this server/],
        [types.jwt, /not accepted here/],
      ] as const) {
        for (const client of ['gateway', 'api'])
          await at.refused({ subject_token: answer, subject_token_type }, 'invalid_request', why, client)
      }
    })

    it('not as an actor token', async () => {
      const why = /no access token of this server|not accepted here/
      for (const actor_token_type of [types.accessToken, types.jwt])
        await at.refused({ actor_token: answer, actor_token_type }, 'invalid_request', why)
    })

    it('not as an access token that is introspected or revoked', async () => {
      for (const client of ['gateway', 'api']) expect(await at.introspect(answer, client)).to.deep.equal(inactive)
      expect((await at.server.post('/revoke', { token: answer }, 'api')).status).to.equal(200)
    })

    it('not as the assertion of a client, even one whose key has signed it and whose claims fit', async () => {
      const now = Math.floor(at.server.now())
      const assertion = (typ: string) =>
        new SignJWT({ iss: 'robot', sub: 'robot', aud: issuer, iat: now, exp: now + 60, jti: `${typ}-${now}` })
          .setProtectedHeader({ alg: 'RS256', typ })
          .sign(createPrivateKey(robot.privateKeyPem))
      const post = async (client_assertion: string) => {
        const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
        return at.server.post('/introspect', { token: 'x', client_assertion, client_assertion_type })
      }
      expect((await post(await assertion('JWT'))).status).to.equal(200)
      expectError(await post(await assertion('token-introspection+jwt')), 'invalid_client')
      expectError(await post(answer), 'invalid_client')
    })
  })

  it('are in the metadata', async () => {
    const { json } = await at.server.request('GET', '/.well-known/oauth-authorization-server')
    expect(json).to.deep.include({ introspection_signing_alg_values_supported: ['RS256'] })
    expect(json.introspection_encryption_alg_values_supported).to.include.members(['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'])
    expect(json.introspection_encryption_alg_values_supported).to.not.include.members(['RSA1_5'])
    expect(json.introspection_encryption_enc_values_supported).to.include.members(['A128GCM', 'A256GCM', 'A128CBC-HS256'])
  })

  it('are signed by a key of their own, which is published beside those of access tokens', async () => {
    const { keys } = (await at.server.request('GET', '/jwks')).json as unknown as JSONWebKeySet
    expect(keys.map(({ alg }) => alg).sort()).to.deep.equal(['ES256', 'RS256'])
    const signed = await ask('x', 'api', type)
    expect(keys.find(({ alg }) => alg === 'RS256')?.kid).to.equal(decodeProtectedHeader(signed.text).kid)
    expect(decodeJwt(signed.text).token_introspection).to.deep.equal(inactive)
  })
})

describe('answers of introspection by the key of the access tokens', () => {
  const at = serverFor(files => patched(files, { 'server.json': { introspection: { signingKey: 'api' } } }))

  it('are no access tokens all the same: typ says what they are', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: basic('api', secretOf('api')), accept: type }
    const token = await at.own()
    const { text } = await at.server.request('POST', '/introspect', encodeForm({ token }), headers)
    expect(decodeProtectedHeader(text).kid).to.equal(decodeProtectedHeader(token).kid)
    expect(await at.introspect(text, 'api')).to.deep.equal(inactive)
    await at.refused(at.ownAs(text), 'invalid_request', /no access token of this server/, 'api')
  })
})

describe('POST /introspect where nobody signs', () => {
  const at = serverFor()

  it('refuses who would take nothing else, and is silent about it in the metadata', async () => {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: basic('gateway', secretOf('gateway')),
      accept: type,
    }
    const body = encodeForm({ token: await at.own() })
    const answer = await at.server.request('POST', '/introspect', body, headers)
    expect(answer.status).to.equal(406)
    expect(answer.json.error).to.equal('invalid_request')
    const both = await at.server.request('POST', '/introspect', body, { ...headers, accept: `${type}, application/json` })
    expect(both.json).to.include({ active: true })
    const { json } = await at.server.request('GET', '/.well-known/oauth-authorization-server')
    expect(Object.keys(json).filter(name => /^introspection_(signing|encryption)/.test(name))).to.deep.equal([])
  })
})

function signing(files: Files, encryption: object, robotKeys: object): Files {
  const api = files['clients/api.json'] as object
  const client = (id: string, introspection: object, more: object = {}) => ({
    [`clients/${id}.json`]: {
      ...api,
      authentication: { method: 'client_secret_basic', secrets: [{ file: `secrets/${id}` }] },
      introspection: { enabled: true, ...introspection },
      ...more,
    },
    [`secrets/${id}`]: secretOf(id),
  })
  return patched(files, {
    'server.json': { introspection: { signingKey: 'answers' } },
    'keys/answers.json': { algorithm: 'RS256', status: 'active', privateKey: { file: 'secrets/answers.pem' } },
    ...client('signed', { signed: true }),
    ...client('sealed', { encryption }),
    ...client('remote', { encryption: { jwksUri: 'https://reader.example/jwks' } }),
    ...client('billing', {}, { audiences: ['https://billing.example.com'] }),
    'clients/robot.json': {
      authentication: { method: 'private_key_jwt', algorithms: ['RS256'], jwks: robotKeys },
      introspection: { enabled: true },
    },
  })
}
