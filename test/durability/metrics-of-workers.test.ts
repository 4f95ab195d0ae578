import { expect } from 'chai'
import { documentedMetrics } from '../observe/metrics/documented.ts'
import { Scraped } from '../observe/metrics/scraped.ts'
import { secretOf } from '../support/configuration.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { basic, encodeForm } from '../support/running-server.ts'
import { type Surroundings, surround } from './surroundings.ts'

const issued = 'cambist_exchanges_total{client="gateway",policy="people",target="api",outcome="issued",reason=""}'

describe('the metrics of several workers', function () {
  this.timeout(120_000)
  let surroundings: Surroundings
  afterEach(() => surroundings?.remove())

  // Every request on a connection of its own, so that it may reach any worker.
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${surroundings.issuer}${path}`, { ...init, headers: { ...init.headers, connection: 'close' } })

  async function scrape(): Promise<Scraped> {
    const answer = await ask('/metrics')
    expect(answer.status).to.equal(200)
    return new Scraped(await answer.text())
  }

  async function exchange(times: number): Promise<void> {
    const now = Math.floor(Date.now() / 1000)
    for (let time = 0; time < times; time++) {
      const subject_token = await surroundings.issuers.people.sign({ iat: now, exp: now + 600 })
      const body = encodeForm({ grant_type: tokenExchange, subject_token_type: types.jwt, subject_token })
      const headers = { authorization: basic('gateway', secretOf('gateway')), 'content-type': 'application/x-www-form-urlencoded' }
      expect((await ask('/token', { method: 'POST', headers, body })).status).to.equal(200)
    }
  }

  it('are the same whoever is asked, and never go backwards when one is replaced', async () => {
    surroundings = await surround({ type: 'embedded', path: 'data' }, 2)
    const server = await surroundings.start()
    await exchange(10)
    for (let time = 0; time < 6; time++) {
      const numbers = await scrape()
      expect(numbers.value(issued)).to.equal(10)
      expect(numbers.value('cambist_processes')).to.equal(3)
      expect(numbers.value('cambist_store_reachable')).to.equal(1)
      expect(Object.keys(numbers.family('cambist_configuration_info'))).to.have.length(1)
    }
    expect((await scrape()).names).to.include.members(
      [...(await documentedMetrics()).keys()].filter(name => !name.startsWith('cambist_') || name === 'cambist_processes'),
    )
    process.kill(server.serving[0] as number, 'SIGKILL')
    const { pid } = await server.logged('listening')
    expect(server.serving).not.to.include(pid)
    const replaced = await scrape()
    expect(replaced.value(issued)).to.equal(10)
    expect(replaced.value('cambist_processes')).to.equal(3)
    await exchange(5)
    expect((await scrape()).value(issued)).to.equal(15)
  })

  it('are told although a worker does not answer', async () => {
    surroundings = await surround({ type: 'embedded', path: 'data' }, 2)
    const server = await surroundings.start()
    await exchange(4)
    expect((await scrape()).value(issued)).to.equal(4)
    const [stuck] = server.serving as [number]
    process.kill(stuck, 'SIGSTOP')
    try {
      // Those that the stopped worker gets are never answered.
      const asked = [1, 2, 3, 4].map(async () => (await ask('/metrics', { signal: AbortSignal.timeout(10_000) })).text())
      const answers = (await Promise.allSettled(asked)).flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []))
      expect(answers).not.to.deep.equal([])
      for (const text of answers) expect(new Scraped(text).value(issued)).to.equal(4)
    } finally {
      process.kill(stuck, 'SIGCONT')
    }
  })
})
