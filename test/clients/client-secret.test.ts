import { expect } from 'chai'
import type { Client } from '../../src/clients/client.ts'
import { digestSecret } from '../../src/clients/secrets.ts'
import { authenticateClient } from '../../src/exchange/authenticate-client.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import { basic, cheapHash, post, secretClient, world } from './client-world.ts'

const refused = 'client-not-authenticated'
const always = undefined

describe('clients/client-secret', () => {
  let made: Client
  let brought: Client
  let posting: Client
  before(async () => {
    made = secretClient('made', [{ hash: digestSecret('good'), until: always }])
    brought = secretClient('brought', [{ hash: await cheapHash('pässword'), until: always }])
    posting = secretClient('posting', [{ hash: digestSecret('good'), until: always }], 'client_secret_post')
  })

  it('knows a client by either form of its secret', async () => {
    const { outcome, authenticator } = world(made, brought, posting)
    expect(await outcome(basic('made good'))).to.equal('made')
    expect(await outcome(basic('brought pässword'))).to.equal('brought')
    expect(await outcome(post('posting good'))).to.equal('posting')
    expect(await authenticateClient({ authenticator }, basic('made good'), '192.0.2.1')).to.equal(made)
  })

  it('does not know it by anything else', async () => {
    const { outcome } = world(made, brought, posting)
    for (const pair of [
      'made wrong',
      'made ',
      'brought wrong',
      'brought good',
      'nobody good',
      ' good',
      'made GOOD',
      'MADE good',
      '__proto__ good',
    ])
      expect(await outcome(basic(pair))).to.equal(refused)
    expect(await outcome({ method: 'none', because: 'nothing' })).to.equal(refused)
    expect(await outcome({ method: 'client_secret_basic', candidates: [] })).to.equal(refused)
  })

  it('takes the one method that the client file names', async () => {
    const { outcome } = world(made, posting)
    expect(await outcome(post('made good'))).to.equal(refused)
    expect(await outcome(basic('posting good'))).to.equal(refused)
  })

  it('refuses every cause in the same words', async () => {
    const { authenticator } = world(made, brought, posting)
    const messages = new Set<string>()
    for (const presented of [
      basic('made wrong'),
      basic('brought wrong'),
      basic('nobody x'),
      post('made good'),
      { method: 'none', because: 'x' } as const,
    ]) {
      const error = await authenticator.authenticate(presented, '').catch((reason: unknown) => reason)
      expect(error).to.be.instanceOf(OAuthError)
      messages.add((error as OAuthError).message)
    }
    expect([...messages]).to.deep.equal(['the client could not be authenticated'])
  })

  it('tries every reading of one pair', async () => {
    const raw = secretClient('raw', [{ hash: digestSecret('a+b%41'), until: always }])
    const slow = secretClient('slow', [{ hash: await cheapHash('a+b%41'), until: always }])
    const { outcome } = world(raw, slow)
    expect(await outcome(basic('raw a_bA', 'raw a+b%41'))).to.equal('raw')
    expect(await outcome(basic('slow a_bA', 'slow a+b%41'))).to.equal('slow')
    expect(await outcome(basic('slow a_bA', 'slow a+b%41'))).to.equal('slow')
  })

  describe('replacing a secret', () => {
    it('takes each until its time', async () => {
      const rotating = secretClient('rotating', [
        { hash: digestSecret('old'), until: 1_800_000_010 },
        { hash: await cheapHash('older'), until: 1_800_000_010 },
        { hash: digestSecret('new'), until: always },
      ])
      const { outcome, clock } = world(rotating)
      for (const secret of ['old', 'older', 'new']) expect(await outcome(basic(`rotating ${secret}`))).to.equal('rotating')
      clock.now += 9.999
      for (const secret of ['old', 'older', 'new']) expect(await outcome(basic(`rotating ${secret}`))).to.equal('rotating')
      clock.now += 0.001
      for (const secret of ['old', 'older']) expect(await outcome(basic(`rotating ${secret}`))).to.equal(refused)
      expect(await outcome(basic('rotating new'))).to.equal('rotating')
    })

    it('knows nobody when all have ended', async () => {
      const { outcome } = world(secretClient('ended', [{ hash: digestSecret('old'), until: 1 }]))
      expect(await outcome(basic('ended old'))).to.equal(refused)
    })
  })

  describe('the store', () => {
    it('is not asked for a right SHA-256 secret, nor for a remembered one', async () => {
      const { outcome, calls } = world(made, brought)
      await outcome(basic('made good'))
      expect(calls).to.deep.equal([])
      await outcome(basic('brought pässword'))
      const first = calls.length
      expect(await outcome(basic('brought pässword'))).to.equal('brought')
      expect(calls).to.have.length(first)
    })

    it('is asked before a guess at a brought secret: when it is down that is an outage', async () => {
      const { outcome, network } = world(made, brought)
      network.down = true
      expect(await outcome(basic('brought pässword'))).to.equal('Outage')
      network.down = false
      expect(await outcome(basic('brought pässword'))).to.equal('brought')
      network.down = true
      expect(await outcome(basic('brought pässword'))).to.equal('brought')
      expect(await outcome(basic('made good'))).to.equal('made')
    })

    it('does not make a wrong secret an outage', async () => {
      const { outcome, network } = world(made, posting)
      network.down = true
      expect(await outcome(basic('made wrong'))).to.equal(refused)
      expect(await outcome(basic('nobody wrong'))).to.equal(refused)
    })

    it('learns neither names nor secrets nor addresses', async () => {
      const { outcome, calls } = world(made, brought)
      await outcome(basic('made wrongsecret'), '192.0.2.77')
      await outcome(basic('brought wrongsecret'), '192.0.2.77')
      expect(calls.join('\n')).to.match(/^(increment attempts:[\w-]{43}\n?)+$/)
    })
  })

  it('takes many first requests of one client at once: they are one attempt', async () => {
    const { outcome, calls } = world(brought)
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcome(basic('brought pässword'))))
    expect(new Set(outcomes)).to.deep.equal(new Set(['brought']))
    expect(calls.map(call => call.split(' ')[0])).to.deep.equal(['increment', 'delete'])
  })

  it('says that it is busy rather than queue without end', async () => {
    const clients = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => secretClient(`c${index}`, [{ hash: await cheapHash(`s${index}`), until: always }])),
    )
    const { outcome } = world(made, ...clients)
    const outcomes = await Promise.all([
      ...clients.map((_, index) => outcome(basic(`c${index} s${index}`))),
      outcome(basic('made good')),
      outcome(basic('nobody x')),
    ])
    expect(outcomes.filter(one => one === 'authentication-busy')).to.have.length(22)
    expect(outcomes.slice(-2)).to.deep.equal(['made', refused])
  })

  it('proves a disabled client too: what it may not do is said later', async () => {
    const { outcome } = world({ ...made, enabled: false })
    expect(await outcome(basic('made good'))).to.equal('made')
  })
})
