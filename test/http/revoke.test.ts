import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { secretOf } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { basic, encodeForm } from '../support/running-server.ts'
import { watchedStore } from '../support/stores.ts'
import { expectError, serverFor } from '../support/world.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const managers = [
  ['JWT', 'api'],
  ['reference token', 'billing'],
] as const

describe('POST /revoke', () => {
  const store = watchedStore()
  // It stands still: how long a token is left does not depend on how busy the machine is.
  const began = Date.now() / 1000
  const at = serverFor(undefined, { store: store.open, clock: () => began })

  const isActive = async (token: string, client = 'gateway') => (await at.introspect(token, client)).active === true
  const from = (token: string, audience = 'api') => at.own(at.ownAs(token, { audience }))

  for (const [kind, audience] of managers) {
    describe(`of a ${kind}`, () => {
      it('ends it', async () => {
        const token = await at.own({ audience })
        expect(await isActive(token)).to.equal(true)
        const answer = await at.server.post('/revoke', { token }, 'gateway')
        expect(answer.status).to.equal(200)
        expect(answer.text).to.equal('')
        expect(answer.headers.get('content-type')).to.equal(null)
        expect(answer.headers.get('cache-control')).to.equal('no-store')
        expect(await isActive(token)).to.equal(false)
        await at.refused(at.ownAs(token), 'invalid_request', /no access token of this server that is valid now/)
        const actor = { actor_token: token, actor_token_type: types.accessToken }
        await at.refused(actor, 'invalid_request', /actor-token-rejected: .*no access token of this server that is valid now/)
      })

      it('ends every token that was exchanged from it, however far', async () => {
        const token = await at.own({ audience })
        const child = await from(token)
        const sibling = await from(token, 'billing')
        const grandchild = await from(child, 'billing')
        const greatGrandchild = await from(grandchild)
        const all = [token, child, sibling, grandchild, greatGrandchild]
        for (const each of all) expect(await isActive(each)).to.equal(true)
        await at.revoke(token)
        for (const each of all) expect(await isActive(each)).to.equal(false)
        for (const each of all) await at.refused(at.ownAs(each), 'invalid_request', /no access token of this server that is valid now/)
      })

      it('lets parents, siblings and strangers live', async () => {
        const parent = await at.own({ audience })
        const token = await from(parent, audience)
        const child = await from(token)
        const sibling = await from(parent, audience)
        const stranger = await at.own({ audience })
        await at.revoke(token)
        expect(await isActive(token)).to.equal(false)
        expect(await isActive(child)).to.equal(false)
        for (const each of [parent, sibling, stranger]) expect(await isActive(each)).to.equal(true)
        expect(await isActive(await from(parent))).to.equal(true)
      })

      it('ends the tokens in which it acts', async () => {
        const actor = await at.own({ audience, subject_token: await at.person({ sub: 'bob' }) })
        const delegated = await at.own({ actor_token: actor, actor_token_type: types.accessToken })
        const later = await from(delegated)
        await at.revoke(actor)
        for (const each of [actor, delegated, later]) expect(await isActive(each)).to.equal(false)
      })

      it('can be asked for again', async () => {
        const token = await at.own({ audience })
        await at.revoke(token)
        await at.revoke(token)
        expect(await isActive(token)).to.equal(false)
      })

      it('is for the client that it was issued to only', async () => {
        const token = await at.own({ audience })
        for (const client of ['api', 'stranger', 'bystander']) {
          const answer = await at.server.post('/revoke', { token }, client)
          expect(expectError(answer, 'unauthorized_client').description).to.include('another client')
        }
        expect(await isActive(token)).to.equal(true)
      })

      it('reaches a token that a further client made of it', async () => {
        const token = await at.own({}, 'gateway')
        const further = await at.own(at.ownAs(token, { audience }), audience === 'billing' ? 'api' : 'gateway')
        await at.revoke(token)
        expect(await isActive(further, audience === 'billing' ? 'api' : 'gateway')).to.equal(false)
      })

      it('writes one entry, by the id of the token, for the longest time that anything of it can live', async () => {
        const token = await at.own({ audience })
        const { jti } = await at.introspect(token)
        store.calls.length = 0
        await at.revoke(token)
        const writes = store.calls.filter(({ method }) => method !== 'get')
        expect(writes).to.have.length(1)
        expect(writes[0]).to.deep.equal({ method: 'put', arguments: [`revoked:${String(jti)}`, '', 3600 + 300] })
        expect(JSON.stringify(writes)).to.not.include(token)
      })
    })
  }

  it('outlasts everything that comes of the token', async () => {
    const subject_token = await at.person({ exp: Math.floor(at.server.now()) + 7200 })
    const token = await at.own({ subject_token, resource: 'https://api.example.com/wide/' })
    const child = await at.own(at.ownAs(token, { resource: 'https://api.example.com/wide/' }))
    expect(Number(decodeJwt(child).exp) - at.server.now()).to.be.greaterThan(3590)
    await at.revoke(token)
    for (let minutes = 0; minutes < 60; minutes += 10) {
      at.server.advance(598)
      expect(await isActive(child)).to.equal(false)
    }
    const [key] = store.calls.filter(({ method }) => method === 'put').at(-1)?.arguments ?? []
    expect(await at.server.store.get(String(key)), 'still remembered').to.equal('')
  })

  describe('answers 200 without a body', () => {
    it('of what it does not know', async () => {
      for (const token of ['x', 'a.b.c', 'A'.repeat(43), '\u0000', await at.person(), await at.agent()]) {
        const answer = await at.server.post('/revoke', { token }, 'gateway')
        expect(answer.status).to.equal(200)
        expect(answer.text).to.equal('')
      }
    })

    it('of a token that has expired, also of another client', async () => {
      const token = await at.own()
      at.server.advance(601)
      await at.revoke(token, 'gateway')
      await at.revoke(token, 'stranger')
    })

    it('whatever the hint is', async () => {
      for (const token_type_hint of ['access_token', 'refresh_token', 'unknown', '']) {
        const token = await at.own()
        const answer = await at.server.post('/revoke', { token, token_type_hint }, 'gateway')
        expect(answer.status).to.equal(200)
        expect(await isActive(token)).to.equal(false)
      }
    })
  })

  describe('refuses', () => {
    it('whoever does not say who they are, and revokes nothing', async () => {
      const token = await at.own()
      const nobody = await at.server.post('/revoke', { token })
      expectError(nobody, 'invalid_client')
      expect(nobody.headers.get('www-authenticate')).to.equal(null)
      const wrong = await at.server.request('POST', '/revoke', encodeForm({ token }), { ...form, authorization: basic('gateway', 'wrong') })
      expectError(wrong, 'invalid_client')
      expect(wrong.headers.get('www-authenticate')).to.match(/^Basic /)
      expect(await isActive(token)).to.equal(true)
    })

    it('a client that is disabled', async () => {
      for (const token of [await at.own(), 'unknown']) {
        const answer = await at.server.post('/revoke', { token }, 'disabled')
        expect(expectError(answer, 'unauthorized_client').description).to.include('disabled')
      }
    })

    it('a request without a token, or with two', async () => {
      const token = await at.own()
      expectError(await at.server.post('/revoke', {}, 'gateway'), 'invalid_request')
      expectError(await at.server.post('/revoke', { token: '' }, 'gateway'), 'invalid_request')
      expectError(await at.server.post('/revoke', { token: [token, token] }, 'gateway'), 'invalid_request')
      const headers = { ...form, authorization: basic('gateway', secretOf('gateway')) }
      expectError(await at.server.request('POST', `/revoke?token=${token}`, '', headers), 'invalid_request')
      expect(await isActive(token)).to.equal(true)
    })
  })

  it('does not say that a token is revoked while the store is down', async () => {
    for (const [, audience] of managers) {
      for (const down of ['get', 'put']) {
        const token = await at.own({ audience })
        store.isDown = ({ method }) => method === down
        const answer = await at.server.post('/revoke', { token }, 'gateway')
        store.isDown = () => false
        expectError(answer, 'temporarily_unavailable')
        expect(Number(answer.headers.get('retry-after'))).to.be.at.least(1)
        expect(await isActive(token)).to.equal(true)
        await at.revoke(token)
        expect(await isActive(token)).to.equal(false)
      }
    }
  })
})

describe('the line of descent', () => {
  const at = serverFor()

  it('has sixteen ancestors at most, and is refused rather than cut off', async () => {
    const line = [await at.own()]
    for (let generation = 1; generation <= 16; generation++) line.push(await at.own(at.ownAs(line.at(-1) ?? '')))
    const youngest = line.at(-1) ?? ''
    expect(decodeJwt(youngest).anc).to.deep.equal(
      line
        .slice(0, 16)
        .map(token => decodeJwt(token).jti)
        .reverse(),
    )
    await at.refused(at.ownAs(youngest), 'invalid_request', /descent-too-long/)
    const oldest = line[0] ?? ''
    await at.revoke(oldest)
    expect((await at.introspect(youngest)).active).to.equal(false)
  })

  it('counts those of subject and actor together', async () => {
    const lineOf = async (sub: string, generations: number) => {
      let token = await at.own({ subject_token: await at.person({ sub }) })
      for (let generation = 1; generation < generations; generation++) token = await at.own(at.ownAs(token))
      return token
    }
    const actor = { actor_token: await lineOf('bob', 16), actor_token_type: types.accessToken }
    const { claims } = await at.issued(actor)
    expect(claims.anc).to.have.length(16)
    await at.refused({ ...actor, actor_token: await lineOf('bob', 17) }, 'invalid_request', /descent-too-long/)
  })

  it('is not made of tokens of others, whatever they say', async () => {
    const { claims } = await at.issued({ subject_token: await at.person({ anc: ['x'], jti: 'y' }) })
    expect(claims).to.not.have.property('anc')
  })
})
