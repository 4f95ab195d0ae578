import { expect } from 'chai'
import { type Files, issuer, patched, secretOf } from '../support/configuration.ts'
import { basic, encodeForm } from '../support/running-server.ts'
import { watchedStore } from '../support/stores.ts'
import { expectError, serverFor } from '../support/world.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const inactive = { active: false }

describe('POST /introspect', () => {
  const store = watchedStore()
  const at = serverFor(moreClients, { store: store.open })

  describe('shows all claims of a token', () => {
    it('of a JWT', async () => {
      const { token, claims } = await at.issued({ scope: 'orders.read' })
      const { anc: _, ...shown } = claims
      expect(await at.introspect(token)).to.deep.equal({ ...shown, active: true, token_type: 'Bearer' })
    })

    it('of a reference token', async () => {
      const token = await at.own({ audience: 'billing' })
      const claims = await at.introspect(token)
      expect(claims).to.include({
        ...{ active: true, token_type: 'Bearer', iss: issuer, sub: 'alice', aud: 'https://billing.example.com', client_id: 'gateway' },
        ...{ scope: 'orders.read', email: 'alice@example.com' },
      })
      expect(claims).to.include.keys('exp', 'iat', 'jti', 'groups')
      expect(claims).to.not.have.property('act')
    })

    it('with act at the top (RFC 8693 section 4.1; others forget it)', async () => {
      for (const audience of ['api', 'billing']) {
        const claims = await at.introspect(await at.own({ ...(await at.withActor()), audience }))
        expect(claims.act).to.deep.equal({ iss: 'https://agents.example', sub: 'robot' })
      }
    })

    it('but not the bookkeeping of this server', async () => {
      for (const audience of ['api', 'billing']) {
        const token = await at.own(at.ownAs(await at.own(), { audience }))
        expect(await at.introspect(token))
          .to.include({ active: true })
          .and.not.have.property('anc')
      }
    })

    it('whatever a mapped attribute is called, active is what this server says', async () => {
      const token = await at.own({ audience: 'misleading' })
      expect(await at.introspect(token)).to.include({ active: true, token_type: 'Bearer' })
    })

    it('as JSON that nobody keeps', async () => {
      const answer = await at.server.post('/introspect', { token: await at.own() }, 'gateway')
      expect(answer.status).to.equal(200)
      expect(answer.headers.get('content-type')).to.equal('application/json')
      expect(answer.headers.get('cache-control')).to.equal('no-store')
    })
  })

  describe('is visible', () => {
    it('to the client that it was issued to', async () => {
      expect(await at.introspect(await at.own({ audience: 'billing' }), 'gateway')).to.include({ active: true })
    })

    it('to a client of which aud has a name', async () => {
      expect(await at.introspect(await at.own(), 'api')).to.include({ active: true })
    })

    it('to a client whose id is in aud', async () => {
      expect(await at.introspect(await at.own({ audience: 'misleading' }), 'stranger')).to.include({ active: true })
    })

    it('to nobody else', async () => {
      for (const [audience, client] of [
        ['api', 'stranger'],
        ['billing', 'stranger'],
        ['billing', 'api'],
        ['misleading', 'api'],
      ] as const) {
        expect(await at.introspect(await at.own({ audience }), client)).to.deep.equal(inactive)
      }
    })

    it('to no client that may not introspect, not even its own token', async () => {
      const token = await at.own({}, 'blind')
      expect(await at.introspect(token, 'blind')).to.deep.equal(inactive)
      expect(await at.introspect(token, 'api')).to.include({ active: true })
      expect(await at.introspect(token, 'bystander')).to.deep.equal(inactive)
    })

    it('to no client that is disabled', async () => {
      expect(await at.introspect(await at.own({ audience: 'misleading' }), 'disabled')).to.deep.equal(inactive)
    })
  })

  describe('says no more than that it is not active', () => {
    it('of what it does not know', async () => {
      for (const token of ['x', 'a.b.c', '..', '\u0000', 'caf\u00e9', 'A'.repeat(43), 'A'.repeat(100_000), 'e30.e30.e30']) {
        expect(await at.introspect(token)).to.deep.equal(inactive)
      }
    })

    it('of a token of another server', async () => {
      expect(await at.introspect(await at.person())).to.deep.equal(inactive)
      expect(await at.introspect(await at.person({ aud: 'https://api.example.com', client_id: 'gateway' }))).to.deep.equal(inactive)
    })

    it('of a token that has expired', async () => {
      const tokens = [await at.own(), await at.own({ audience: 'billing' })]
      for (const token of tokens) expect(await at.introspect(token)).to.include({ active: true })
      at.server.advance(601)
      for (const token of tokens) expect(await at.introspect(token)).to.deep.equal(inactive)
    })

    it('of a token that was revoked', async () => {
      for (const audience of ['api', 'billing']) {
        const token = await at.own({ audience })
        await at.revoke(token)
        expect(await at.introspect(token)).to.deep.equal(inactive)
      }
    })
  })

  it('does not depend on the hint (RFC 7662 section 2.1)', async () => {
    for (const audience of ['api', 'billing']) {
      const token = await at.own({ audience })
      for (const token_type_hint of ['access_token', 'refresh_token', 'unknown', '']) {
        const answer = await at.server.post('/introspect', { token, token_type_hint }, 'gateway')
        expect(answer.json).to.include({ active: true })
      }
    }
  })

  it('takes a token as often as one likes: asking uses nothing up', async () => {
    const token = await at.own()
    for (let time = 0; time < 3; time++) expect(await at.introspect(token)).to.include({ active: true })
    await at.issued(at.ownAs(token))
  })

  describe('refuses', () => {
    it('whoever does not say who they are', async () => {
      const token = await at.own()
      const nobody = await at.server.post('/introspect', { token })
      expectError(nobody, 'invalid_client')
      expect(nobody.headers.get('www-authenticate')).to.equal(null)
      for (const authorization of [basic('gateway', 'wrong'), basic('nobody', secretOf('gateway')), `Bearer ${token}`]) {
        const answer = await at.server.request('POST', '/introspect', encodeForm({ token }), { ...form, authorization })
        expectError(answer, 'invalid_client')
        expect(answer.headers.get('www-authenticate')).to.match(/^Basic /)
        expect(answer.json).to.deep.equal(nobody.json)
      }
    })

    it('a request without a token', async () => {
      expect(expectError(await at.server.post('/introspect', {}, 'gateway'), 'invalid_request').description).to.include('token is missing')
      expectError(await at.server.post('/introspect', { token: '' }, 'gateway'), 'invalid_request')
    })

    it('a token that is sent twice, in the query string, or as JSON', async () => {
      const token = await at.own()
      const headers = { ...form, authorization: basic('gateway', secretOf('gateway')) }
      expectError(await at.server.post('/introspect', { token: [token, token] }, 'gateway'), 'invalid_request')
      expectError(await at.server.request('POST', `/introspect?token=${token}`, '', headers), 'invalid_request')
      const json = { ...headers, 'content-type': 'application/json' }
      expectError(await at.server.request('POST', '/introspect', JSON.stringify({ token }), json), 'invalid_request')
    })

    it('two ways of authentication at once', async () => {
      const parameters = { token: await at.own(), client_id: 'gateway', client_secret: secretOf('gateway') }
      expectError(await at.server.post('/introspect', parameters, 'gateway'), 'invalid_request')
    })
  })

  it('does not call a token inactive that it could not look up', async () => {
    for (const audience of ['api', 'billing']) {
      const token = await at.own({ audience })
      store.isDown = ({ method }) => method === 'get'
      const answer = await at.server.post('/introspect', { token }, 'gateway')
      store.isDown = () => false
      expectError(answer, 'temporarily_unavailable')
      expect(Number(answer.headers.get('retry-after'))).to.be.at.least(1)
      expect(await at.introspect(token)).to.include({ active: true })
    }
  })
})

function moreClients(files: Files): Files {
  const { issues } = files['policies/processor-policies/people.json'] as { issues: Array<{ attributes: object }> }
  const api = files['policies/access-token-managers/api.json'] as { contract: object }
  return patched(files, {
    'clients/blind.json': {
      authentication: { method: 'client_secret_basic', secrets: [{ file: 'secrets/blind' }] },
      tokenExchange: { enabled: true },
      audiences: ['https://api.example.com'],
    },
    'secrets/blind': secretOf('blind'),
    'clients/disabled.json': { introspection: { enabled: true }, audiences: ['https://misleading.example.com'] },
    'policies/access-token-managers/misleading.json': {
      ...api,
      ...{ resources: [], audiences: ['misleading'], audience: ['stranger', 'https://misleading.example.com'] },
      contract: { ...api.contract, active: { type: 'boolean' }, token_type: { type: 'string' } },
    },
    'policies/processor-policies/people.json': {
      issues: [
        ...issues,
        { accessTokenManager: 'misleading', attributes: { ...issues[0]?.attributes, active: 'false', token_type: "'DPoP'" } },
      ],
    },
  })
}
