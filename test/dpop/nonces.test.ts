import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { Nonces } from '../../src/dpop/nonces.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { patched } from '../support/configuration.ts'
import { watchedStore } from '../support/stores.ts'
import { type Claims, expectError, serverFor, withServer } from '../support/world.ts'
import { exchangeWith, Holder } from './holder.ts'

const requiring = { 'server.json': { dpop: { nonce: 'required', maxAge: '1m' } } }

describe('nonces of DPoP proofs', () => {
  // It stands still: a period that ends between two requests would be another nonce.
  const at = serverFor(files => patched(files, requiring), { clock: () => 1_800_000_000 })
  let holder: Holder
  before(async () => {
    holder = await Holder.make()
  })
  const send = async (claims: Claims) => exchangeWith(at, await holder.proof(at.server.now(), claims))
  /** Asks as a client that knows none yet. */
  const given = async () => {
    const answer = await send({})
    expectError(answer, 'use_dpop_nonce')
    return String(answer.headers.get('dpop-nonce'))
  }

  it('RFC 9449 section 8: a proof without one is told which, and with it is taken', async () => {
    const nonce = await given()
    expect(nonce).to.match(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
    expect(at.lastRecord()).to.have.nested.property('refusal.setting', 'server.json dpop.nonce')
    const answer = await send({ nonce })
    expect(answer.status, answer.text).to.equal(200)
    expect(answer.json.token_type).to.equal('DPoP')
  })

  it('section 8.2: every answer has the one for the next proof', async () => {
    const first = await given()
    const answer = await send({ nonce: first })
    expect(answer.headers.get('dpop-nonce')).to.equal(first)
    at.server.advance(60)
    const next = (await send({ nonce: first })).headers.get('dpop-nonce')
    expect(next).to.be.a('string').and.not.equal(first)
    expect((await send({ nonce: String(next) })).status).to.equal(200)
  })

  it('are taken for the period in which they were given and the next, whatever the clock of the client says', async () => {
    const nonce = await given()
    for (const iat of [1, Math.floor(at.server.now()) + 86_400]) expect((await send({ nonce, iat })).status).to.equal(200)
    at.server.advance(60)
    expect((await send({ nonce })).status).to.equal(200)
    at.server.advance(60)
    const late = await send({ nonce })
    expect(expectError(late, 'use_dpop_nonce').description).to.match(/not good any more/)
    expect(late.headers.get('dpop-nonce')).to.be.a('string').and.not.equal(nonce)
  })

  it('cannot be made up', async () => {
    const nonce = await given()
    const [period = ''] = nonce.split('.')
    const other = randomBytes(24).toString('base64url')
    for (const made of [`${period}.${other}`, `${Number(period) + 1}.${other}`, `${nonce}x`, other, '0', '1e400.x', `${period}.`]) {
      expectError(await send({ nonce: made }), 'use_dpop_nonce')
    }
  })

  it('do not make a proof good for two requests', async () => {
    const proof = await holder.proof(at.server.now(), { nonce: await given() })
    expect((await exchangeWith(at, proof)).status).to.equal(200)
    for (const seconds of [0, 59]) {
      at.server.advance(seconds)
      expect(expectError(await exchangeWith(at, proof), 'invalid_dpop_proof').description).to.match(/used before/)
    }
  })

  it('are not given to whoever proves nothing, or is not known', async () => {
    const { answer } = await at.issued()
    expect(answer.headers.get('dpop-nonce')).to.equal(null)
    const forged = await holder.proof(at.server.now(), {}, { jwk: (await Holder.make()).jwk })
    const refused = await exchangeWith(at, forged)
    expectError(refused, 'invalid_dpop_proof')
    expect(refused.headers.get('dpop-nonce')).to.equal(null)
  })

  it('are the same for every process and machine', async () => {
    const store = memoryStore(() => 1_000)
    const outside = { store, random: randomBytes }
    const [one, other] = [new Nonces(60, outside), new Nonces(60, outside)]
    const nonces = await Promise.all([one.current(1_000), other.current(1_000), one.current(1_000), other.current(1_000)])
    expect(new Set(nonces).size).to.equal(1)
    expect(await other.isGood(String(nonces[0]), 1_000)).to.equal(true)
    // The clock of another machine is ahead: it gives out the next one already.
    const ahead = await other.current(1_030)
    expect(await one.isGood(ahead, 1_000)).to.equal(true)
  })

  it('cost no further operation of the store once they are known', async () => {
    const store = watchedStore()
    await withServer(
      files => patched(files, requiring),
      async world => {
        const ask = async (claims: Claims) => exchangeWith(world, await holder.proof(world.server.now(), claims))
        const nonce = String((await ask({})).headers.get('dpop-nonce'))
        await ask({ nonce })
        const before = store.calls.length
        expect((await ask({ nonce })).status).to.equal(200)
        expect(store.calls.slice(before).map(({ method }) => method)).to.deep.equal(['putIfAbsent'])
      },
      { store: store.open, clock: () => 1_800_000_000 },
    )
  })
})
