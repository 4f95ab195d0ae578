import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { pino } from 'pino'
import { AuditEntry } from '../../../src/observe/audit-entry.ts'
import type { ExchangeEnding } from '../../../src/observe/record.ts'
import { exchangeSpans } from '../../../src/observe/traces/exchange-spans.ts'
import { OtlpExporter } from '../../../src/observe/traces/otlp-exporter.ts'
import type { Lookup } from '../../../src/policies/lookup.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { until } from '../../stores/until.ts'
import { type Files, patched, secretOf } from '../../support/configuration.ts'
import { tokenExchange, types } from '../../support/oauth.ts'
import { basic, encodeForm } from '../../support/running-server.ts'
import { withServer } from '../../support/world.ts'
import { Collector, type Span } from './collector.ts'

const text = { type: 'string' }

/** The policy with a lookup in a service, once for the subject and once for one target. */
function withLookups(url: string, files: Files): Files {
  const policy = files['policies/processor-policies/people.json'] as { processors: object[]; issues: Array<{ attributes: object }> }
  const lookup = (value: string) => ({
    dataStore: 'staff',
    path: `/of/{${value}}`,
    attributes: ['number'],
    timeout: '30s',
    cache: { ttl: '1h' },
  })
  const [first, ...others] = policy.processors
  const [api, ...targets] = policy.issues
  return patched(files, {
    'policies/data-stores/staff.json': { type: 'http', url, allowPrivateNetwork: true, attributes: { number: text } },
    'policies/processor-policies/people.json': {
      processors: [{ ...first, lookups: { person: lookup('subject.sub') } }, ...others],
      issues: [{ ...api, lookups: { again: { ...lookup("'x' + policy.subject"), ifDown: 'empty', ifMissing: 'empty' } } }, ...targets],
    },
  })
}

describe('traces, of lookups', () => {
  const collector = new Collector()
  const waiting: ServerResponse[] = []
  const service = createServer((_, response) => void waiting.push(response))
  before(() => new Promise<void>(resolve => service.listen(0, '127.0.0.1', resolve)))
  after(() => {
    collector.close()
    service.closeAllConnections()
    service.close()
    expect(collector.mistakes).to.deep.equal([])
  })

  const answer = async (status = 200) => {
    await until('a question', () => waiting.length > 0)
    waiting.shift()?.writeHead(status, { 'content-type': 'application/json' }).end('{"number":"found-4711"}')
  }
  const attributesOf = (span: Span) => Object.fromEntries((span.attributes ?? []).map(({ key, value }) => [key, value.stringValue]))
  const exchanges = () => collector.spans.filter(({ name }) => name === 'exchange').length

  it('have a span of each, within its step, that says where the answer came from and nothing of it', async () => {
    const { port } = service.address() as AddressInfo
    const otlp = { url: await collector.listen(), headers: {}, serviceName: 'sts', log: pino({ level: 'silent' }), pause: 5 }
    await withServer(
      files => withLookups(`http://127.0.0.1:${port}`, files),
      async at => {
        const form = { grant_type: tokenExchange, subject_token_type: types.jwt, subject_token: await at.person(), audience: 'api' }
        const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: basic('gateway', secretOf('gateway')) }
        const issued = async () => {
          const { status, text } = await at.server.request('POST', '/token', encodeForm(form), headers)
          expect(status, text).to.equal(200)
        }
        for (const status of [[200, 503], [503], [204]]) {
          const exchange = issued()
          for (const each of status) await answer(each)
          await exchange
        }
        await until('all of them', () => exchanges() === 3)
      },
      // With a store of its own: no explanation is made beside each exchange, which would ask too.
      { store: memoryStore, tracing: { exporter: new OtlpExporter(otlp), sampling: 1 } },
    )
    const spans = collector.spans.filter(({ name }) => name === 'lookup')
    const shown = spans.map(span => {
      const step = collector.spans.find(({ spanId }) => spanId === span.parentSpanId)
      expect(step?.traceId).to.equal(span.traceId)
      for (const [one, other] of [
        [step?.startTimeUnixNano, span.startTimeUnixNano],
        [span.startTimeUnixNano, span.endTimeUnixNano],
        [span.endTimeUnixNano, step?.endTimeUnixNano],
      ])
        expect(BigInt(one ?? 0) <= BigInt(other ?? 0)).to.equal(true)
      const { 'cambist.lookup': name, 'cambist.outcome': outcome, 'cambist.answer': came, ...store } = attributesOf(span)
      expect(store).to.deep.equal({ 'cambist.data_store': 'staff', 'cambist.data_store_type': 'http' })
      return [step?.name, name, outcome, came, span.kind, span.status?.message].join(' ')
    })
    expect(shown.sort()).to.deep.equal([
      'fulfil-contract person found asked 3 ',
      'fulfil-contract person found remembered 1 ',
      'fulfil-contract person found remembered 1 ',
      'map-attributes again down  1 down',
      'map-attributes again down  1 down',
      'map-attributes again missing asked 3 ',
    ])
    expect(collector.texts.join()).to.include('cambist.data_store')
    for (const secret of ['found-4711', 'person-', 'alice']) expect(collector.texts.join()).not.to.include(secret)
  })

  it('that ask what another exchange was asking say so', () => {
    const entry = new AuditEntry({ traceId: 'a'.repeat(32), parentId: undefined, sampled: true })
    const lookup = { name: 'person', store: { id: 'staff', type: 'http' } } as Lookup
    const made = { outcome: 'found', rows: [], cached: false, milliseconds: 2, values: ['alice'] } as const
    entry.lookedUp(lookup, { ...made, joined: true })
    entry.lookedUp(lookup, { ...made, joined: false, values: [undefined] })
    const ending = { outcome: 'issued', milliseconds: 5, requestId: 'r' } as ExchangeEnding
    const [joined, nothingAsked] = (exchangeSpans(entry, ending, 0) as unknown as Span[]).filter(({ name }) => name === 'lookup')
    expect(attributesOf(joined as Span)).to.include({ 'cambist.answer': 'joined' })
    expect(attributesOf(nothingAsked as Span)).to.not.have.property('cambist.answer')
  })
})
