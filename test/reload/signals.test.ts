import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { steps } from '../../src/observe/step-times.ts'
import { Scraped } from '../observe/metrics/scraped.ts'
import { Collector } from '../observe/traces/collector.ts'
import { until } from '../stores/until.ts'
import { ChangingServer } from './changing-server.ts'

describe('the signals of a server that changes', function () {
  this.timeout(180_000)
  let server: ChangingServer
  let collector: Collector
  beforeEach(() => {
    collector = new Collector()
  })
  afterEach(async () => {
    collector.close()
    await server?.end()
    expect(collector.mistakes).to.deep.equal([])
  })

  const settings = async () => JSON.parse(await readFile(join(server.folder, 'server.json'), 'utf8'))
  const issuer = async () => (await settings()).issuer as string
  const scrape = async () => new Scraped(await (await fetch(`${await issuer()}/metrics`)).text())

  for (const workers of [1, 2]) {
    it(`count reloads and exchanges before and after, and send every trace before the end, with ${workers} workers`, async () => {
      const tracing = { otlp: await collector.listen(), headers: { 'x-key': { file: 'secrets/collector' } }, sampling: 1 }
      server = await ChangingServer.start({ 'server.json': { tracing }, 'secrets/collector': 'key-of-the-collector' }, workers)
      await server.issued()
      const good = await settings()
      await server.write('server.json', { ...good, description: 'changed', tracing: { ...tracing, sampling: 0 } })
      await server.reloaded()
      await server.issued()
      await server.write('server.json', '{')
      await until('the failure is shown', async () => {
        const text = await (await fetch(`${good.issuer}/metrics`)).text()
        return text.includes('\ncambist_configuration_failing 1\n')
      })
      await server.write('server.json', { ...good, description: 'changed again' })
      await server.reloaded()
      await until('all workers have heard', async () => (await scrape()).value('cambist_reloads_total{outcome="success"}') === 2)
      const numbers = await scrape()
      const [exchanges] = Object.values(numbers.family('cambist_exchanges_total'))
      expect(exchanges).to.equal(2)
      expect(numbers.value('cambist_reloads_total{outcome="failure"}')).to.equal(1)
      expect(numbers.value('cambist_configuration_failing')).to.equal(0)
      expect(numbers.value('cambist_configuration_needs_restart')).to.equal(0)
      expect(numbers.family('cambist_configuration_info')).to.deep.equal({
        [`cambist_configuration_info{version="${await server.versionOfFolder()}"}`]: 1,
      })
      await server.issued()
      expect(await server.process.stop()).to.equal(0)
      expect(collector.spans).to.have.length(3 * (steps.length + 1))
      for (const headers of collector.requests) expect(headers['x-key']).to.equal('key-of-the-collector')
    })
  }
})
