import { expect } from 'chai'
import { exposition } from '../../../src/observe/metrics/exposition.ts'
import { FetchMetrics } from '../../../src/observe/metrics/fetch-metrics.ts'
import { Registry } from '../../../src/observe/metrics/registry.ts'
import { Scraped } from './scraped.ts'

describe('observe/metrics/fetch-metrics', () => {
  const thing = { kind: 'keys', issuer: 'https://a.example', address: 'https://a.example/jwks' } as const
  const labels = 'kind="keys",issuer="https://a.example",address="https://a.example/jwks"'

  it('forgets that something failed when the last who fetched it is gone, and keeps its count', async () => {
    const registry = new Registry()
    const fetches = new FetchMetrics(registry, () => 1000)
    const before = fetches.of(thing)
    before.succeeded()
    before.failed()
    const after = fetches.of(thing)
    const now = async () => new Scraped(exposition(await registry.collect()))
    before.forgotten()
    expect((await now()).family('cambist_fetch_failing')).to.deep.equal({ [`cambist_fetch_failing{${labels}}`]: 1 })
    after.forgotten()
    const gone = await now()
    expect(gone.family('cambist_fetch_failing')).to.deep.equal({})
    expect(gone.family('cambist_fetch_last_success_timestamp_seconds')).to.deep.equal({})
    expect(gone.family('cambist_fetches_total')).to.deep.equal({
      [`cambist_fetches_total{${labels},outcome="success"}`]: 1,
      [`cambist_fetches_total{${labels},outcome="failure"}`]: 1,
    })
  })
})
