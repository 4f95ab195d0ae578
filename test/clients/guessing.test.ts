import { expect } from 'chai'
import type { Client } from '../../src/clients/client.ts'
import { digestSecret } from '../../src/clients/secrets.ts'
import type { OAuthError } from '../../src/oauth/errors.ts'
import { basic, cheapHash, secretClient, world } from './client-world.ts'

const refused = 'client-not-authenticated'
const always = undefined

describe('clients/client-secret', () => {
  let made: Client
  let brought: Client
  before(async () => {
    made = secretClient('made', [{ hash: digestSecret('good'), until: always }])
    brought = secretClient('brought', [{ hash: await cheapHash('pässword'), until: always }])
  })

  describe('guessing', () => {
    const guess = async (outcome: ReturnType<typeof world>['outcome'], pair: string, times: number, address?: string) => {
      const outcomes: string[] = []
      for (let time = 0; time < times; time++) outcomes.push(await outcome(basic(`${pair}${time}`), address))
      return outcomes
    }

    for (const id of ['made', 'brought', 'nobody']) {
      it(`is slowed for ${id} after ten wrong secrets, whoever that is`, async () => {
        const { outcome } = world(made, brought)
        const outcomes = await guess(outcome, `${id} wrong`, 13)
        expect(outcomes.slice(0, 10)).to.deep.equal(new Array(10).fill(refused))
        expect(outcomes.slice(10)).to.deep.equal(new Array(3).fill('too-many-attempts'))
      })
    }

    it('says when to come back, and lets the client in then', async () => {
      const { outcome, authenticator, clock } = world(brought)
      clock.now += 100
      await guess(outcome, 'brought wrong', 10)
      const error = (await authenticator
        .authenticate(basic('brought pässword'), '192.0.2.1')
        .catch((reason: unknown) => reason)) as OAuthError
      expect([error.reason, error.retryAfter]).to.deep.equal(['too-many-attempts', 200])
      clock.now += 199
      expect(await outcome(basic('brought pässword'))).to.equal('too-many-attempts')
      clock.now += 1
      expect(await outcome(basic('brought pässword'))).to.equal('brought')
    })

    it('locks out neither the client at another address nor other clients', async () => {
      const { outcome } = world(made, brought)
      await guess(outcome, 'brought wrong', 20, '198.51.100.1')
      expect(await outcome(basic('brought pässword'), '198.51.100.1')).to.equal('too-many-attempts')
      expect(await outcome(basic('brought pässword'), '198.51.100.2')).to.equal('brought')
      expect(await outcome(basic('made wrong'), '198.51.100.1')).to.equal(refused)
    })

    it('never slows a remembered secret, nor a right SHA-256 secret', async () => {
      const { outcome } = world(made, brought)
      await outcome(basic('brought pässword'))
      await guess(outcome, 'brought wrong', 20)
      await guess(outcome, 'made wrong', 20)
      expect(await outcome(basic('brought wrong'))).to.equal('too-many-attempts')
      expect(await outcome(basic('brought pässword'))).to.equal('brought')
      expect(await outcome(basic('made wrong'))).to.equal('too-many-attempts')
      expect(await outcome(basic('made good'))).to.equal('made')
    })

    it('is counted by the /64 of an IPv6 address', async () => {
      const { outcome } = world(brought)
      for (let host = 1; host <= 10; host++) await outcome(basic(`brought wrong${host}`), `2001:db8:0:1::${host}`)
      expect(await outcome(basic('brought x'), '2001:db8:0:1:ffff::1')).to.equal('too-many-attempts')
      expect(await outcome(basic('brought x'), '2001:db8:0:2::1')).to.equal(refused)
    })

    it('counts a request once, however many readings and secrets it has', async () => {
      const several = secretClient('several', [
        { hash: await cheapHash('one'), until: always },
        { hash: await cheapHash('two'), until: always },
      ])
      const { outcome, calls } = world(several)
      await outcome(basic('several wrong', 'other wr+ng'))
      expect(calls).to.have.length(1)
      for (let time = 1; time < 10; time++) expect(await outcome(basic(`several w${time}`, `several r${time}`))).to.equal(refused)
      expect(await outcome(basic('several x', 'several y'))).to.equal('too-many-attempts')
    })

    it('is not made cheaper by spelling the id in other ways', async () => {
      const { outcome } = world(brought)
      for (let time = 0; time < 10; time++) await outcome(basic('brought wrong', `%62rought${time} wrong`))
      expect(await outcome(basic('brought pässword'))).to.equal('too-many-attempts')
    })

    it('counts guesses that come at once', async () => {
      const { outcome } = world(brought)
      const outcomes = await Promise.all(Array.from({ length: 18 }, (_, index) => outcome(basic(`brought wrong${index}`))))
      expect(outcomes.filter(one => one === refused)).to.have.length(10)
      expect(outcomes.filter(one => one === 'too-many-attempts')).to.have.length(8)
    })

    it('forgets failures after a success', async () => {
      const { outcome } = world(brought)
      await guess(outcome, 'brought wrong', 9)
      await outcome(basic('brought pässword'))
      expect(await guess(outcome, 'brought wrong', 10)).to.deep.equal(new Array(10).fill(refused))
    })
  })
})
