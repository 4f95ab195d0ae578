import { expect } from 'chai'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { issuer, patched, secretOf } from '../support/configuration.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { basic, encodeForm } from '../support/running-server.ts'
import { expectError, expectTokenAnswer, headerOf, serverFor } from '../support/world.ts'

const contentType = 'application/x-www-form-urlencoded'
const authorization = basic('gateway', secretOf('gateway'))
const gateway = { 'content-type': contentType, authorization }

describe('POST /token', () => {
  const at = serverFor(files =>
    patched(files, {
      'clients/poster.json': {
        ...(files['clients/gateway.json'] as object),
        authentication: { method: 'client_secret_post', secrets: [{ file: 'secrets/poster' }] },
      },
      'secrets/poster': secretOf('poster'),
    }),
  )
  const body = async (more: Record<string, string> = {}) =>
    encodeForm({ ...more, subject_token: await at.person(), subject_token_type: types.jwt, grant_type: tokenExchange })

  describe('answers', () => {
    it('200 with JSON that nobody keeps', async () => {
      const { answer } = await at.issued()
      expectTokenAnswer(answer)
      expect(answer.headers.get('content-type')).to.equal('application/json')
      expect(answer.headers.get('www-authenticate')).to.equal(null)
    })

    it('with the members of RFC 8693 and no others', async () => {
      // It lives longer than what is issued, however slow the machine is.
      const subject_token = await at.person({ exp: Math.floor(at.server.now()) + 900 })
      const { answer } = await at.issued({ scope: 'orders.read', subject_token })
      expect(answer.json).to.have.all.keys('access_token', 'issued_token_type', 'token_type', 'expires_in', 'scope')
      expect(answer.json).to.deep.include({
        issued_token_type: types.accessToken,
        token_type: 'Bearer',
        expires_in: 600,
        scope: 'orders.read',
      })
    })

    it('without scope where there is none, and never with a refresh or an ID token', async () => {
      const { answer } = await at.issued({ scope: '' }, 'stranger')
      expect(answer.json).to.have.all.keys('access_token', 'issued_token_type', 'token_type', 'expires_in')
    })

    it('with the scope also where it is the one requested', async () => {
      expect((await at.issued({ scope: 'orders.read orders.write' })).answer.json.scope).to.equal('orders.read orders.write')
    })

    it('with a token that a resource server can verify by the published keys (RFC 9068 section 4)', async () => {
      const { token } = await at.issued()
      const jwks = (await at.server.request('GET', '/jwks')).json as unknown as JSONWebKeySet
      const options = { issuer, audience: 'https://api.example.com', typ: 'at+jwt' }
      const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), options)
      expect(payload).to.include({ sub: 'alice', client_id: 'gateway' })
    })

    it('with the same kind of token under both of its names', async () => {
      for (const requested_token_type of [types.accessToken, types.jwt]) {
        const { answer, token } = await at.issued({ requested_token_type })
        expect(answer.json).to.include({ issued_token_type: requested_token_type, token_type: 'Bearer' })
        expect(headerOf(token).typ).to.equal('at+jwt')
      }
    })

    it('with an opaque token where the target makes those', async () => {
      const { answer, token } = await at.issued({ audience: 'billing' })
      expect(token).to.match(/^[\w-]{27,}$/)
      expect(answer.json).to.include({ issued_token_type: types.accessToken, token_type: 'Bearer', expires_in: 300, scope: 'orders.read' })
    })
  })

  describe('takes a request', () => {
    const send = (text: string, headers: Record<string, string> = gateway) => at.server.request('POST', '/token', text, headers)

    it('whose parameters come in any order', async () => {
      const parameters = (await body()).split('&')
      expect(parameters.at(-1)).to.include('grant_type')
      expect((await send([...parameters].reverse().join('&'))).status).to.equal(200)
      expect((await send(parameters.join('&'))).status).to.equal(200)
    })

    for (const type of [
      `${contentType};charset=UTF-8`,
      `${contentType}; charset=utf-8`,
      contentType.toUpperCase(),
      `${contentType} ; charset="utf-8"`,
    ]) {
      it(`of content type ${type}`, async () => {
        expect((await send(await body(), { ...gateway, 'content-type': type })).status).to.equal(200)
      })
    }

    for (const type of [
      '',
      'application/json',
      'multipart/form-data; boundary=x',
      'text/plain',
      `${contentType}2`,
      `${contentType}; charset=latin1`,
    ]) {
      it(`not of content type "${type}"`, async () => {
        const answer = await send(await body(), { authorization, ...(type !== '' && { 'content-type': type }) })
        expectTokenAnswer(answer)
        expectError(answer, 'invalid_request')
      })
    }

    it('without any content type: not (fetch would add one)', async () => {
      const { status, text } = await at.server.postRaw('/token', await body(), { authorization })
      expect({ status, error: JSON.parse(text).error }).to.deep.equal({ status: 400, error: 'invalid_request' })
    })

    it('whose body is JSON: not', async () => {
      const answer = await send(JSON.stringify({ grant_type: tokenExchange }), { ...gateway, 'content-type': 'application/json' })
      expectError(answer, 'invalid_request')
    })

    it('with an empty body: not', async () => {
      expectError(await send(''), 'invalid_request')
    })

    it('that is too large: not', async () => {
      expectError(await send(`subject_token=${'x'.repeat(300_000)}`), 'invalid_request')
    })

    it('whose token is too long: not, and it is not taken for absent (CVE-2026-9704)', async () => {
      const token = `${await at.person()}${'A'.repeat(70_000)}`
      await at.refused({ subject_token: token }, 'invalid_request', /subject-token-rejected: .*longer than/)
      await at.refused({ actor_token: token, actor_token_type: types.jwt }, 'invalid_request', /actor-token-rejected: .*longer than/)
      await at.refused(at.ownAs('A'.repeat(70_000)), 'invalid_request', /subject-token-rejected/)
    })

    it('that is not UTF-8, or not percent-encoded: not', async () => {
      for (const text of ['grant_type=%ff', 'grant_type=%zz', 'a=%', '%=a']) {
        expectError(await send(text), 'invalid_request')
      }
    })

    it('with parameters in the query string: not, whatever they are', async () => {
      for (const query of ['?x=y', `?grant_type=${tokenExchange}`, '?client_secret=x', '?scope']) {
        const answer = await at.server.request('POST', `/token${query}`, await body(), gateway)
        expect(expectError(answer, 'invalid_request').description).to.include('query')
      }
    })

    it('with a parameter twice: not, but for resource and audience', async () => {
      const names = [
        'grant_type',
        'subject_token',
        'subject_token_type',
        'actor_token',
        'actor_token_type',
        'requested_token_type',
        'scope',
      ]
      for (const name of [...names, 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type', 'unknown', 'DPoP']) {
        for (const [first, second] of [
          ['x', 'y'],
          ['x', 'x'],
          ['x', ''],
          ['', ''],
        ]) {
          const answer = await send(`${encodeForm({ [name]: first })}&${encodeForm({ [name]: second })}`)
          expect(expectError(answer, 'invalid_request').description).to.include(`${name} is repeated`)
        }
      }
      await at.issued({ resource: ['https://api.example.com/x', 'https://api.example.com/y'], audience: ['api', 'api'] })
    })

    it('with unknown parameters: they are ignored, and named in the record', async () => {
      const { record } = await at.issued({ options: '%7B%7D', access_token_manager_id: 'wide', aud: 'x', resources: 'y', client_name: 'z' })
      expect(record.ignoredParameters).to.have.members(['options', 'access_token_manager_id', 'aud', 'resources', 'client_name'])
      expect(record.target).to.equal('api')
      expect((await at.issued()).record).to.not.have.property('ignoredParameters')
    })

    it('with unknown parameters also where it is refused', async () => {
      const { record } = await at.refused({ colour: 'red', subject_token: undefined }, 'invalid_request', /subject_token is missing/)
      expect(record.ignoredParameters).to.deep.equal(['colour'])
    })

    it('with parameters without a value: they count as not sent', async () => {
      const empty = { scope: '', audience: '', resource: '', requested_token_type: '', actor_token: '', actor_token_type: '', unknown: '' }
      const { record } = await at.issued({ ...empty, authorization_details: '', client_secret: '', client_assertion: '' })
      expect(record).to.include({ target: 'api' }).and.not.have.property('ignoredParameters')
    })

    for (const name of ['subject_token', 'subject_token_type', 'grant_type']) {
      it(`without ${name}: not`, async () => {
        await at.refused({ [name]: undefined }, 'invalid_request', new RegExp(`${name} is missing`))
        await at.refused({ [name]: '' }, 'invalid_request', new RegExp(`${name} is missing`))
      })
    }

    it('of a client that names itself once more', async () => {
      await at.issued({ client_id: 'gateway' })
      await at.refused({ client_id: 'stranger' }, 'invalid_request', /name different clients/)
    })

    it('of a client that authenticates in the body', async () => {
      const post = { client_id: 'poster', client_secret: secretOf('poster') }
      expect((await send(await body(post), { 'content-type': contentType })).status).to.equal(200)
    })

    it('in chunks, and with Expect: 100-continue', async () => {
      expect((await at.server.postRaw('/token', await body(), { ...gateway, expect: '100-continue' })).status).to.equal(200)
    })
  })

  describe('refuses what it would have to ignore', () => {
    it('authorization_details (RFC 9396)', async () => {
      for (const authorization_details of ['[]', '[{"type":"payment"}]', 'x']) {
        await at.refused({ authorization_details }, 'invalid_authorization_details', /authorization-details-not-supported/)
      }
    })

    it('a DPoP proof (RFC 9449)', async () => {
      for (const dpop of ['x', '']) {
        const answer = await at.server.request('POST', '/token', await body(), { ...gateway, dpop })
        expectError(answer, 'invalid_dpop_proof')
        expect(answer.headers.get('www-authenticate')).to.equal(null)
      }
    })

    it('but not the parameters that have no meaning here', async () => {
      await at.issued({
        code: 'x',
        redirect_uri: 'https://x',
        refresh_token: 'x',
        assertion: 'x',
        requested_subject: 'bob',
        subject_issuer: 'x',
      })
    })
  })
})

describe('the routes', () => {
  const at = serverFor()

  for (const path of ['/token', '/introspect', '/revoke']) {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
      it(`${method} ${path} is not allowed (RFC 6749 section 3.2)`, async () => {
        const answer = await at.server.request(method, `${path}?grant_type=${tokenExchange}`)
        expect(answer.status).to.equal(405)
        expect(answer.headers.get('allow')).to.equal('POST')
      })
    }
  }

  for (const path of ['/jwks', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration', '/healthz', '/readyz']) {
    it(`POST ${path} is not allowed`, async () => {
      const answer = await at.server.request('POST', path, '', gateway)
      expect(answer.status).to.equal(405)
      expect(answer.headers.get('allow')).to.equal('HEAD, GET')
    })
  }

  for (const path of [
    '/',
    '/oauth/token',
    '/tokens',
    '/token/x',
    '/authorize',
    '/userinfo',
    '/.well-known',
    '/.well-known/jwks.json',
    '/%00',
    '/..',
  ]) {
    it(`${path} is nowhere`, async () => {
      for (const method of ['GET', 'POST']) {
        const answer = await at.server.request(method, path, method === 'POST' ? '' : undefined, gateway)
        expect(answer.status).to.equal(404)
        expect(answer.json).to.deep.equal({ error: 'not_found' })
      }
    })
  }

  it('are no exchanges: nothing of this is recorded', () => {
    expect(at.server.records).to.deep.equal([])
  })
})
