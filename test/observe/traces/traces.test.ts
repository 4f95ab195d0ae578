import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { pino } from 'pino'
import { steps } from '../../../src/observe/step-times.ts'
import { OtlpExporter } from '../../../src/observe/traces/otlp-exporter.ts'
import { until } from '../../stores/until.ts'
import { patched, secretOf } from '../../support/configuration.ts'
import { freePort } from '../../support/free-port.ts'
import { tokenExchange, types } from '../../support/oauth.ts'
import { basic, encodeForm } from '../../support/running-server.ts'
import { type World, withServer } from '../../support/world.ts'
import { Collector, type Span } from './collector.ts'

describe('traces', () => {
  let collector: Collector
  let url: string
  let lines: Array<Record<string, unknown>>
  beforeEach(async () => {
    collector = new Collector()
    url = await collector.listen()
    lines = []
  })
  afterEach(() => {
    collector.close()
    expect(collector.mistakes).to.deep.equal([])
  })

  const logged = { write: (line: string) => lines.push(JSON.parse(line)) }
  const exporter = (address = url) =>
    new OtlpExporter({
      url: address,
      headers: { authorization: 'Bearer of-the-collector' },
      serviceName: 'sts',
      log: pino({}, logged),
      pause: 5,
    })
  const traced = (sampling: number, run: (at: World) => Promise<void>, address?: string) =>
    withServer(files => files, run, { tracing: { exporter: exporter(address), sampling } })

  async function exchange(at: World, more: Record<string, string> = {}, traceparent?: string) {
    const form = { grant_type: tokenExchange, subject_token_type: types.jwt, subject_token: await at.person(), ...more }
    return at.server.request('POST', '/token', encodeForm(form), {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: basic('gateway', secretOf('gateway')),
      ...(traceparent !== undefined && { traceparent }),
    })
  }

  const attributesOf = (span: Span | undefined) =>
    Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, value.stringValue]))
  const received = (count: number) => until(`${count} spans`, () => collector.spans.length >= count)

  it('have a span of the exchange and one of each step, within it and in order', () =>
    traced(1, async at => {
      const { json } = await exchange(at)
      await received(steps.length + 1)
      const [whole, ...parts] = collector.spans as [Span, ...Span[]]
      expect(whole).to.include({ name: 'exchange', kind: 2 })
      expect(whole).to.not.have.property('parentSpanId')
      expect(whole).to.not.have.property('status')
      expect(parts.map(({ name }) => name)).to.deep.equal([...steps])
      let from = BigInt(whole.startTimeUnixNano)
      for (const part of parts) {
        expect(part).to.include({ kind: 1, traceId: whole.traceId, parentSpanId: whole.spanId })
        expect(BigInt(part.startTimeUnixNano)).to.equal(from)
        from = BigInt(part.endTimeUnixNano)
      }
      expect(from <= BigInt(whole.endTimeUnixNano)).to.equal(true)
      expect(new Set(collector.spans.map(({ spanId }) => spanId))).to.have.length(steps.length + 1)
      const record = at.lastRecord()
      expect(attributesOf(whole)).to.deep.equal({
        'cambist.client': 'gateway',
        'cambist.policy': 'people',
        'cambist.mapping': 'processors[0]',
        'cambist.target': 'api',
        'cambist.outcome': 'issued',
        'cambist.request_id': record.requestId,
      })
      expect(record.trace).to.equal(whole.traceId)
      expect(collector.services).to.deep.equal(['sts'])
      expect(collector.requests[0]?.authorization).to.equal('Bearer of-the-collector')
      for (const secret of [json.access_token, (record.subject as { sub: string }).sub, secretOf('gateway')])
        expect(collector.texts.join()).not.to.include(secret)
    }))

  it('say which step refused, and why', () =>
    traced(1, async at => {
      expect((await exchange(at, { scope: 'admin' })).status).to.equal(400)
      await received(2)
      const whole = collector.spans[0]
      expect(attributesOf(whole)).to.include({ 'cambist.outcome': 'refused', 'cambist.reason': 'scope-not-available' })
      expect(attributesOf(whole)['cambist.setting']).to.equal((at.lastRecord().refusal as { setting?: string }).setting)
      expect(whole).to.not.have.property('status')
      expect(collector.spans.at(-1)).to.deep.include({ name: 'grant-scope', status: { code: 2, message: 'scope-not-available' } })
    }))

  const traceId = randomBytes(16).toString('hex')
  const parentId = randomBytes(8).toString('hex')

  it('go on with the trace of the caller, whatever share is sampled here', () =>
    traced(0, async at => {
      await exchange(at, {}, `00-${traceId}-${parentId}-01`)
      await received(steps.length + 1)
      expect(collector.spans[0]).to.include({ traceId, parentSpanId: parentId })
      expect(at.lastRecord().trace).to.equal(traceId)
    }))

  it('of which the caller wants no samples are recorded by name only', () =>
    traced(1, async at => {
      await exchange(at, {}, `00-${traceId}-${parentId}-00`)
      expect(at.lastRecord().trace).to.equal(traceId)
      await exchange(at)
      await received(steps.length + 1)
      expect(collector.spans.map(span => span.traceId)).not.to.include(traceId)
    }))

  it('are not begun for those that are not sampled', () =>
    traced(0, async at => {
      await exchange(at)
      expect(at.lastRecord()).not.to.have.property('trace')
    }))

  const malformed = {
    'that is no header of the standard': 'x',
    'with capitals': `00-${'A'.repeat(32)}-${parentId}-01`,
    'with too many fields': `00-${traceId}-${parentId}-01-x`,
    'of zeros': `00-${'0'.repeat(32)}-${parentId}-01`,
    'without a parent': `00-${traceId}-${'0'.repeat(16)}-01`,
    'of the version ff': `ff-${traceId}-${parentId}-01`,
    'that is too short': `00-${traceId.slice(1)}-${parentId}-01`,
  }
  for (const [what, traceparent] of Object.entries(malformed)) {
    it(`ignore a traceparent ${what}`, () =>
      traced(0, async at => {
        expect((await exchange(at, {}, traceparent)).status).to.equal(200)
        expect(at.lastRecord()).not.to.have.property('trace')
      }))
  }

  it('of a later version may have more fields', () =>
    traced(0, async at => {
      await exchange(at, {}, `cc-${traceId}-${parentId}-01-what-the-future-brings`)
      expect(at.lastRecord().trace).to.equal(traceId)
    }))

  it('are dropped where nobody takes them: exchanges go on, and the log says so once', () =>
    traced(1, async at => {
      collector.status = 503
      for (let time = 0; time < 3; time++) {
        expect((await exchange(at)).status).to.equal(200)
        await until('a batch', () => collector.requests.length > time)
      }
      expect(lines.map(({ msg }) => msg)).to.deep.equal(['traces could not be sent'])
      expect(JSON.stringify(lines)).not.to.include('of-the-collector')
      collector.status = 200
      await exchange(at)
      await received(steps.length + 1)
    }))

  it('disturb nobody where no collector is', async () => {
    const address = `http://127.0.0.1:${await freePort()}/v1/traces`
    await traced(
      1,
      async at => {
        expect((await exchange(at)).status).to.equal(200)
        await until('a complaint', () => lines.length > 0)
      },
      address,
    )
  })

  it('that wait are sent when the server stops', async () => {
    const exporting = new OtlpExporter({ url, headers: {}, serviceName: 'sts', log: pino({}, logged), pause: 3_600_000 })
    await withServer(
      files => patched(files, {}),
      async at => {
        await exchange(at)
        expect(collector.spans).to.deep.equal([])
        await exporting.close()
        expect(collector.spans).to.have.length(steps.length + 1)
      },
      { tracing: { exporter: exporting, sampling: 1 } },
    )
  })
})
