import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { Client } from '../../src/clients/client.ts'
import { ClientAuthenticator } from '../../src/clients/client-authenticator.ts'
import { Kept } from '../../src/kept.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { assertion, makeSigner, now, type Signer } from './assertions.ts'
import { client, issuer, world } from './client-world.ts'

const refused = 'client-not-authenticated'

describe('clients/private-key-jwt', () => {
  let signer: Signer
  let robot: Client
  before(async () => {
    signer = await makeSigner()
    robot = client('robot', { method: 'private_key_jwt', algorithms: new Set(['ES256']), keys: signer.keys })
  })

  describe('one use', () => {
    it('is all that an assertion has', async () => {
      const { outcome, clock } = world(robot)
      const text = await signer.sign()
      expect(await outcome(assertion(text))).to.equal('robot')
      expect(await outcome(assertion(text))).to.equal(refused)
      clock.now += 89
      expect(await outcome(assertion(text))).to.equal(refused)
      clock.now += 1
      expect(await outcome(assertion(text))).to.equal(refused)
    })

    it('is found out where two come at once', async () => {
      const { outcome } = world(robot)
      const text = await signer.sign()
      const outcomes = await Promise.all([1, 2, 3].map(() => outcome(assertion(text))))
      expect(outcomes.sort()).to.deep.equal([refused, refused, 'robot'])
    })

    it('is counted by client and jti, whatever else the assertion says', async () => {
      const other = await makeSigner('ES256', 'other')
      const { outcome } = world(robot, client('other', { method: 'private_key_jwt', algorithms: new Set(['ES256']), keys: other.keys }))
      expect(await outcome(assertion(await signer.sign({ jti: 'same' })))).to.equal('robot')
      expect(await outcome(assertion(await other.sign({ jti: 'same' })))).to.equal('other')
      expect(await outcome(assertion(await signer.sign({ jti: 'same', exp: now + 70 })))).to.equal(refused)
    })

    it('lasts for as long as a machine with a clock behind ours would take it', async () => {
      let time = now
      const store = memoryStore(() => time)
      const machine = (behind: number) => {
        const outside = { store, now: () => time - behind, random: randomBytes }
        return new ClientAuthenticator({ clients: new Map([['robot', robot]]), issuer, outside, kept: new Kept().draft() })
      }
      const presented = assertion(await signer.sign())
      await machine(0).authenticate(presented, '192.0.2.1')
      time += 95
      const again = await machine(20)
        .authenticate(presented, '192.0.2.1')
        .catch(error => error.reason)
      expect(again).to.equal(refused)
    })

    it('is taken up by nothing that was refused', async () => {
      const { outcome, calls } = world(robot)
      await outcome(assertion(await signer.sign({ jti: 'x', aud: 'other' })))
      expect(calls).to.deep.equal([])
      expect(await outcome(assertion(await signer.sign({ jti: 'x' })))).to.equal('robot')
    })

    it('cannot be promised while the store is down', async () => {
      const { outcome, network } = world(robot)
      network.down = true
      expect(await outcome(assertion(await signer.sign()))).to.equal('Outage')
      expect(await outcome(assertion(await signer.sign({ aud: 'x' })))).to.equal(refused)
    })
  })
})
