import { expect } from 'chai'
import { type Files, issuer, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { watchedStore } from '../support/stores.ts'
import { serverFor, withServer } from '../support/world.ts'

describe('a reference token', () => {
  const store = watchedStore()
  // It stands still: when a token ends does not depend on how busy the machine is.
  const began = Date.now() / 1000
  const at = serverFor(withSecondManager, { store: store.open, clock: () => began })
  beforeEach(() => {
    store.calls.length = 0
  })

  it('is random text of 256 bits by default', async () => {
    const tokens = new Set<string>()
    for (let time = 0; time < 20; time++) tokens.add(await at.own({ audience: 'billing' }))
    expect(tokens.size).to.equal(20)
    for (const token of tokens) expect(token).to.match(/^[\w-]{43}$/)
  })

  it('is as long as the manager says, 160 bits at least', async () => {
    expect(await at.own({ audience: 'short' })).to.match(/^[\w-]{27}$/)
  })

  it('is kept under a hash, never as itself', async () => {
    const token = await at.own({ audience: 'billing' })
    const [put] = store.calls
    expect(store.calls).to.have.length(1)
    expect(put?.method).to.equal('put')
    const text = JSON.stringify(put)
    expect(text).to.not.include(token)
    expect(text).to.not.include(Buffer.from(token, 'base64url').toString('hex'))
    expect(text).to.not.include(Buffer.from(token, 'base64url').toString('base64'))
    expect(put?.arguments[0]).to.match(/^token:[\w-]{43}$/)
  })

  it('is kept until it ends', async () => {
    await at.own({ audience: 'billing' })
    expect(store.calls[0]?.arguments[2]).to.be.within(299, 300)
  })

  it('means nothing to anybody but this server', async () => {
    const token = await at.own({ audience: 'billing' })
    for (const other of [
      token.slice(1),
      `${token}A`,
      token.toLowerCase(),
      ` ${token}`,
      `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
    ]) {
      expect(await at.introspect(other)).to.deep.equal({ active: false })
      await at.refused(at.ownAs(other), 'invalid_request', /no access token of this server/)
    }
  })

  it('has the claims that a JWT would have', async () => {
    const token = await at.own({ ...(await at.withActor()), audience: 'billing', scope: 'orders.read' })
    const { iat, exp, jti, ...rest } = await at.introspect(token)
    expect(rest).to.deep.equal({
      ...{ active: true, token_type: 'Bearer', iss: issuer, sub: 'alice', aud: 'https://billing.example.com', client_id: 'gateway' },
      ...{ scope: 'orders.read', email: 'alice@example.com', groups: ['app-orders'], act: { iss: 'https://agents.example', sub: 'robot' } },
    })
    expect(Number(exp) - Number(iat)).to.equal(300)
    expect(jti).to.be.a('string')
  })

  it('ends with its time', async () => {
    const token = await at.own({ audience: 'billing' })
    at.server.advance(298)
    expect(await at.introspect(token)).to.include({ active: true })
    at.server.advance(2)
    expect(await at.introspect(token)).to.deep.equal({ active: false })
    await at.refused(at.ownAs(token), 'invalid_request', /no access token of this server/)
  })

  it('is no JWT, under whatever name', async () => {
    const token = await at.own({ audience: 'billing' })
    await at.refused({ subject_token: token, subject_token_type: types.jwt }, 'invalid_request', /not a signed JWT/)
  })

  it('can be exchanged, and be an actor', async () => {
    const token = await at.own({ audience: 'billing' })
    await at.issued(at.ownAs(token))
    const { claims } = await at.issued({
      actor_token: token,
      actor_token_type: types.accessToken,
      subject_token: await at.person({ sub: 'bob' }),
    })
    expect(claims.act).to.deep.equal({ iss: issuer, sub: 'alice' })
  })

  it('of one manager is none of another', async () => {
    await withServer(
      files => patched(withSecondManager(files), { 'policies/token-processors/own.json': { accessTokenManagers: ['short'] } }),
      async world => {
        await world.issued(world.ownAs(await world.own({ audience: 'short' })))
        await world.refused(world.ownAs(await world.own({ audience: 'billing' })), 'invalid_request', /no access token of this server/)
      },
    )
  })

  it('cannot be made while the store is down, and none is given out', async () => {
    store.isDown = ({ method }) => method === 'put'
    const { answer } = await at.refused({ audience: 'billing' }, 'temporarily_unavailable', /unavailable/)
    expect(answer.headers.get('retry-after')).to.match(/^\d+$/)
    store.isDown = () => false
    await at.issued({ audience: 'billing' })
  })
})

function withSecondManager(files: Files): Files {
  const { issues } = files['policies/processor-policies/people.json'] as { issues: Array<{ attributes: object }> }
  const opaque = files['policies/access-token-managers/opaque.json'] as object
  return patched(files, {
    'policies/access-token-managers/short.json': { ...opaque, length: 20, resources: [], audiences: ['short'] },
    'policies/token-processors/own.json': { accessTokenManagers: ['api', 'opaque', 'wide', 'short'] },
    'policies/processor-policies/people.json': { issues: [...issues, { accessTokenManager: 'short', attributes: issues[0]?.attributes }] },
  })
}
