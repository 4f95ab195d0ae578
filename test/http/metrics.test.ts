import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { refusals } from '../../src/oauth/errors.ts'
import { steps } from '../../src/observe/step-times.ts'
import { requireProgram } from '../interop/tools.ts'
import { documentedMetrics } from '../observe/metrics/documented.ts'
import { Scraped } from '../observe/metrics/scraped.ts'
import { type Files, patched } from '../support/configuration.ts'
import { basic } from '../support/running-server.ts'
import { watchedStore } from '../support/stores.ts'
import { serverFor, type World, withServer } from '../support/world.ts'

async function scrape(at: World): Promise<Scraped> {
  const { status, headers, text } = await at.server.request('GET', '/metrics')
  expect(status).to.equal(200)
  expect(headers.get('content-type')).to.equal('text/plain; version=0.0.4; charset=utf-8')
  expect(headers.get('cache-control')).to.equal('no-store')
  return new Scraped(text)
}

const exchanges = (client: string, policy: string, target: string, outcome: string, reason = '') =>
  `cambist_exchanges_total{client="${client}",policy="${policy}",target="${target}",outcome="${outcome}",reason="${reason}"}`

describe('GET /metrics', () => {
  describe('counts', () => {
    const store = watchedStore()
    const policy = 'policies/processor-policies/people.json'
    const address = 'https://remote.example/jwks'
    let isRemoteDown = false
    const at = serverFor(
      files => {
        const people = files['policies/token-processors/people.json'] as { issuers: object[] }
        const remote = { issuer: 'https://remote.example', jwksUri: `${address}?key=secret-of-theirs` }
        const [mapping, ...mappings] = (files[policy] as { processors: object[] }).processors
        const level = {
          dataStore: 'levels',
          where: { sub: '{subject.sub}' },
          attributes: ['level'],
          ifMissing: 'empty',
          cache: { ttl: '1h' },
        }
        return patched(files, {
          'policies/token-processors/people.json': { issuers: [...people.issuers, remote] },
          'levels.csv': 'sub,level\nalice,3\nbob,2\n',
          'policies/data-stores/levels.json': {
            ...{ type: 'table', file: 'levels.csv', keys: ['sub'] },
            attributes: { sub: { type: 'string' }, level: { type: 'integer' } },
          },
          [policy]: {
            processors: [{ ...mapping, lookups: { level } }, ...mappings],
            criteria: [{ require: 'false', otherwise: 'not yet', mode: 'audit' }],
          },
        })
      },
      {
        store: store.open,
        fetch: async () => {
          if (isRemoteDown) throw new Error('down')
          return { status: 200, headers: { get: () => 'max-age=60' }, text: async () => JSON.stringify(at.issuers.people.jwks) }
        },
      },
    )

    it('what was issued, by client, policy and target', async () => {
      const before = await scrape(at)
      expect(before.value(exchanges('gateway', 'people', 'api', 'issued'))).to.equal(undefined)
      await at.issued()
      await at.issued()
      const after = await scrape(at)
      expect(after.value(exchanges('gateway', 'people', 'api', 'issued'))).to.equal(2)
      expect(after.value('cambist_exchange_duration_seconds_count{outcome="issued"}')).to.equal(2)
      for (const step of steps) expect(after.value(`cambist_exchange_step_duration_seconds_count{step="${step}"}`), step).to.equal(2)
      expect(after.value('cambist_exchange_duration_seconds_sum{outcome="issued"}')).to.be.above(0)
    })

    it('what was looked up, and what did not have to be', async () => {
      const found = (at: Scraped, cached: boolean) =>
        at.value(`cambist_lookups_total{store="levels",outcome="found",cached="${cached}"}`) ?? 0
      const before = await scrape(at)
      const subject_token = await at.person({ sub: 'bob' })
      await at.issued({ subject_token })
      await at.issued({ subject_token })
      const after = await scrape(at)
      expect([found(after, false) - found(before, false), found(after, true) - found(before, true)]).to.deep.equal([1, 1])
      expect(after.value('cambist_lookup_duration_seconds_count{store="levels"}')).to.equal(2)
      expect(after.value('cambist_data_store_state{store="levels"}')).to.equal(0)
    })

    it('what is said of a caller by somebody who is not believed', async () => {
      await at.server.request('POST', '/introspect', 'token=x', {
        'content-type': 'application/x-www-form-urlencoded',
        'x-forwarded-for': '203.0.113.9',
      })
      expect((await scrape(at)).value('cambist_ignored_headers_total{header="x-forwarded-for"}')).to.equal(1)
    })

    it('refusals by their reason, as far as the exchange came', async () => {
      const before = (await scrape(at)).value('cambist_exchange_step_duration_seconds_count{step="delegate"}')
      await at.refused({ audience: 'unknown' }, 'invalid_target', /target-unknown/)
      await at.refused({ subject_token: 'x.y.z' }, 'invalid_request', /subject-token-rejected/)
      const numbers = await scrape(at)
      expect(numbers.value(exchanges('gateway', 'people', '', 'refused', 'target-unknown'))).to.equal(1)
      expect(numbers.value(exchanges('gateway', 'people', 'api', 'refused', 'subject-token-rejected'))).to.equal(1)
      expect(numbers.value('cambist_exchange_duration_seconds_count{outcome="refused"}')).to.equal(2)
      expect(numbers.value('cambist_exchange_step_duration_seconds_count{step="delegate"}'), 'not reached').to.equal(before)
    })

    it('nobody by a name that is not proved', async () => {
      const invented = `invented-${Date.now()}`
      for (const client of [invented, 'gateway']) {
        const { status } = await at.server.request('POST', '/token', 'grant_type=x', {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: basic(client, 'wrong'),
        })
        expect(status).to.equal(401)
      }
      const numbers = await scrape(at)
      expect(numbers.value(exchanges('', '', '', 'refused', 'client-not-authenticated'))).to.equal(2)
      expect(numbers.text).not.to.include(invented)
    })

    it('what would have been refused, by its setting', async () => {
      const wouldRefuse = `cambist_would_refuse_total{setting="${policy} criteria[0].require",reason="criterion-failed"}`
      const before = (await scrape(at)).value(wouldRefuse) ?? 0
      await at.issued()
      expect((await scrape(at)).value(wouldRefuse)).to.equal(before + 1)
    })

    it('fetches of keys, and whether they fail now, without the query of the address', async () => {
      const labels = `kind="keys",issuer="https://remote.example",address="${address}"`
      const known = { iss: 'https://remote.example' }
      expect((await scrape(at)).family('cambist_fetch_failing')).to.deep.equal({})
      await at.issued({ subject_token: await at.person(known) })
      const good = await scrape(at)
      expect(good.value(`cambist_fetches_total{${labels},outcome="success"}`)).to.equal(1)
      expect(good.value(`cambist_fetch_failing{${labels}}`)).to.equal(0)
      const fetchedAt = good.value(`cambist_fetch_last_success_timestamp_seconds{${labels}}`)
      expect(fetchedAt).to.be.closeTo(at.server.now(), 100)
      isRemoteDown = true
      at.server.advance(100)
      await at.issued({ subject_token: await at.person(known) })
      const bad = await scrape(at)
      expect(bad.value(`cambist_fetches_total{${labels},outcome="failure"}`)).to.equal(1)
      expect(bad.value(`cambist_fetch_failing{${labels}}`)).to.equal(1)
      expect(bad.value(`cambist_fetch_last_success_timestamp_seconds{${labels}}`)).to.equal(fetchedAt)
      expect(bad.text).not.to.include('secret-of-theirs')
    })

    it('operations of the store, and whether it answers', async () => {
      const before = (await scrape(at)).value('cambist_store_operation_duration_seconds_count{operation="get",outcome="done"}') ?? 0
      const token = await at.own()
      await at.issued(at.ownAs(token))
      const up = await scrape(at)
      expect(up.value('cambist_store_operation_duration_seconds_count{operation="get",outcome="done"}')).to.be.above(before)
      expect(up.value('cambist_store_reachable')).to.equal(1)
      store.isDown = () => true
      try {
        await at.refused(at.ownAs(token), 'temporarily_unavailable', /^unavailable: /)
        const down = await scrape(at)
        expect(down.value('cambist_store_reachable')).to.equal(0)
        expect(down.value('cambist_store_operation_duration_seconds_count{operation="get",outcome="unavailable"}')).to.equal(1)
        expect(down.value(exchanges('gateway', 'people', 'api', 'unavailable', 'unavailable'))).to.equal(1)
      } finally {
        store.isDown = () => false
      }
      expect((await scrape(at)).value('cambist_store_reachable')).to.equal(1)
    })

    it('no outcome and no reason that is not on a closed list', async () => {
      const known = new Set(['', ...Object.keys(refusals), 'unavailable', 'bug'])
      for (const series of Object.keys((await scrape(at)).family('cambist_exchanges_total'))) {
        const [, outcome = '?', reason = '?'] = /outcome="(.*?)",reason="(.*?)"/.exec(series) ?? []
        expect(['issued', 'refused', 'unavailable', 'failed']).to.include(outcome)
        expect(known.has(reason), series).to.equal(true)
      }
    })

    it('what the guide says, with the labels that it says, and nothing else', async () => {
      const documented = await documentedMetrics()
      const { text, names } = await scrape(at)
      const ofTheProcess = (name: string) => !name.startsWith('cambist_') || name === 'cambist_processes'
      expect(names).to.have.members([...documented.keys()].filter(name => !ofTheProcess(name)))
      for (const [, family = '', pairs = ''] of text.matchAll(/^(\w+)\{(.*)\} /gm)) {
        const name = documented.has(family) ? family : family.replace(/_(bucket|sum|count)$/, '')
        const labels = [...pairs.matchAll(/(\w+)="/g)].map(([, label]) => label).filter(label => label !== 'le')
        expect(labels, family).to.deep.equal(documented.get(name))
      }
    })

    it('says which configuration serves', async () => {
      const { version } = (await at.server.request('GET', '/readyz')).json
      const numbers = await scrape(at)
      expect(numbers.family('cambist_configuration_info')).to.deep.equal({ [`cambist_configuration_info{version="${version}"}`]: 1 })
      expect(numbers.value('cambist_configuration_failing')).to.equal(0)
      expect(numbers.value('cambist_configuration_needs_restart')).to.equal(0)
      expect(numbers.value('cambist_reloads_total{outcome="success"}')).to.equal(0)
      expect(numbers.value('cambist_configuration_loaded_timestamp_seconds')).to.be.above(1e9)
    })

    it('gives nothing away of tokens, subjects and secrets', async () => {
      const subject = `alice-${Date.now()}`
      const token = await at.person({ sub: subject, email: 'alice@example.com' })
      const { token: issued, record } = await at.issued({ subject_token: token })
      const { text } = await scrape(at)
      for (const secret of [
        subject,
        'alice@',
        token,
        issued,
        String(record.requestId),
        createHash('sha256').update(token).digest('base64url'),
      ])
        expect(text).not.to.include(secret)
    })

    it('is what promtool takes', async function () {
      requireProgram(this, 'promtool', ['--version'], 'CAMBIST_REQUIRE_PROMTOOL')
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: (await scrape(at)).text, encoding: 'utf8' })
      expect({ status, stdout, stderr }).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    })
  })

  it('counts an exchange once whose record could not be written', async () => {
    let writes = 0
    const journal = {
      write: () => undefined,
      written: () => (writes++ === 0 ? Promise.reject(new Error('the disk is full')) : Promise.resolve()),
    }
    await withServer(
      files => files,
      async at => {
        expect((await at.exchange()).status).to.equal(500)
        expect((await scrape(at)).family('cambist_exchanges_total')).to.deep.equal({
          [exchanges('gateway', 'people', 'api', 'failed', 'bug')]: 1,
        })
      },
      { journal },
    )
  })

  const withMetrics = (files: Files, metrics: object): Files => patched(files, { 'server.json': { metrics }, 'secrets/metrics': token })
  const token = 'a-token-of-prometheus'

  it('is not there where it is switched off', () =>
    withServer(
      files => withMetrics(files, { enabled: false }),
      async at => {
        expect((await at.server.request('GET', '/metrics')).status).to.equal(404)
      },
    ))

  describe('with a bearer token', () => {
    const at = serverFor(files => withMetrics(files, { bearer: { file: 'secrets/metrics' } }))
    const ask = (headers: Record<string, string>) => at.server.request('GET', '/metrics', undefined, headers)

    it('answers whoever brings it', async () => {
      for (const authorization of [`Bearer ${token}`, `bearer ${token}`]) expect((await ask({ authorization })).status).to.equal(200)
    })

    const others: Record<string, Record<string, string>> = {
      nothing: {},
      'another one': { authorization: 'Bearer another-token' },
      'one that begins with it': { authorization: `Bearer ${token}x` },
      'the beginning of it': { authorization: `Bearer ${token.slice(0, -1)}` },
      'it as a password': { authorization: basic('prometheus', token) },
      'it alone': { authorization: token },
      'an empty one': { authorization: 'Bearer ' },
    }
    for (const [what, headers] of Object.entries(others)) {
      it(`refuses whoever brings ${what}`, async () => {
        const answer = await ask(headers)
        expect(answer.status).to.equal(401)
        expect(answer.headers.get('www-authenticate')).to.equal('Bearer realm="metrics"')
        expect(answer.text).not.to.include('cambist_')
      })
    }
  })
})
