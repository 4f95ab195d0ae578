import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { type ScryptComparison, ScryptRuns } from '../../src/clients/scrypt-runs.ts'
import { hashSecret, type ScryptHash } from '../../src/clients/secrets.ts'
import { OAuthError, refusals } from '../../src/oauth/errors.ts'

describe('clients/scrypt-runs', () => {
  let hash: ScryptHash
  before(async () => {
    hash = await hashSecret('right', randomBytes, { N: 1024, r: 8, p: 1 })
  })

  it('finds the first comparison that fits', async () => {
    const runs = new ScryptRuns()
    const right = { hash, secret: 'right', which: 'right' }
    expect(await runs.firstThatFits([{ hash, secret: 'wrong', which: 'wrong' }, right])).to.equal(right)
    expect(await runs.firstThatFits([{ hash, secret: 'wrong' }])).to.equal(undefined)
    expect(await runs.firstThatFits([])).to.equal(undefined)
  })

  it('runs two attempts at once and no more', async () => {
    const runs = new ScryptRuns()
    let running = 0
    let most = 0
    function* watched(): Generator<ScryptComparison> {
      most = Math.max(most, ++running)
      yield { hash, secret: 'wrong' }
      running--
    }
    const attempt = () => runs.firstThatFits(watched() as unknown as ScryptComparison[])
    await Promise.all(Array.from({ length: 12 }, attempt))
    expect(most).to.equal(2)
    expect(running).to.equal(0)
  })

  it('refuses beyond a short queue, and recovers', async () => {
    const runs = new ScryptRuns({ atOnce: 2, waiting: 3 })
    const attempts = Array.from({ length: 7 }, () => runs.firstThatFits([{ hash, secret: 'right' }]))
    expect(() => runs.refuseWhenFull()).to.throw(OAuthError)
    const outcomes = await Promise.allSettled(attempts)
    const refused = outcomes.filter(outcome => outcome.status === 'rejected').map(outcome => outcome.reason as OAuthError)
    expect(refused).to.have.length(2)
    for (const { reason, retryAfter } of refused) {
      expect(refusals[reason]).to.deep.equal({ error: 'temporarily_unavailable', status: 429 })
      expect(retryAfter).to.be.greaterThan(0)
    }
    runs.refuseWhenFull()
    expect(await runs.firstThatFits([{ hash, secret: 'right' }])).not.to.equal(undefined)
  })

  it('gives its place back when a run fails', async () => {
    const runs = new ScryptRuns({ atOnce: 1, waiting: 0 })
    const impossible = { ...hash, cost: { N: 3, r: 1, p: 1 } }
    expect(await runs.firstThatFits([{ hash: impossible, secret: 'x' }]).catch(() => 'failed')).to.equal('failed')
    expect(await runs.firstThatFits([{ hash, secret: 'right' }])).not.to.equal(undefined)
  })

  it('imitates a run without taking a place', async () => {
    const runs = new ScryptRuns({ atOnce: 1, waiting: 0 })
    const imitation = runs.imitate()
    runs.refuseWhenFull()
    await imitation
  })
})
