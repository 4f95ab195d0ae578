import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { QueryValue } from '../../src/data-stores/data-store.ts'
import { http } from '../../src/data-stores/http.ts'
import { sql } from '../../src/data-stores/sql.ts'
import type { DataStoreKind } from '../../src/data-stores/store-kind.ts'
import { buildStore } from '../data-stores/build-store.ts'
import { startPeopleService } from '../data-stores/http/people-service.ts'
import { kinds } from '../data-stores/sql/databases.ts'
import { lookupParts } from '../data-stores/templates.ts'
import { blocksOf } from './blocks.ts'

const blocks = blocksOf(readFileSync(join(import.meta.dirname, '../../docs/guides/lookups.md'), 'utf8'))

function shown(file: string): Record<string, unknown> {
  const block = blocks.find(({ marker }) => marker?.kind === 'file' && marker.value === file)
  return JSON.parse(block?.text ?? '{}')
}

/** The lookups of a policy that the guide shows, by name, with what its mapping says beside their data store's own members. */
function lookupsOf(file: string): Record<string, { own: Record<string, unknown>; attributes: string[] }> {
  const [mapping] = shown(file).processors as [{ lookups: Record<string, Record<string, unknown>> }]
  return Object.fromEntries(
    Object.entries(mapping.lookups).map(([name, lookup]) => {
      const { dataStore: _store, description: _words, cache: _cache, many: _many, attributes, ...own } = lookup
      return [name, { own, attributes: attributes as string[] }]
    }),
  )
}

/** What a lookup of the guide finds with these values. */
async function ask(kind: DataStoreKind, file: object, texts: Record<string, string>, policy: string, name: string, values: QueryValue[]) {
  const { store, problems, kept } = await buildStore(kind, file, texts)
  expect(problems).to.deep.equal([])
  try {
    const { own = {}, attributes = [] } = lookupsOf(policy)[name] ?? {}
    const parts = lookupParts(attributes, { atMost: 10 })
    const query = store?.client.prepare(store.lookup.parse(own), parts)
    expect(parts.problems).to.deep.equal([])
    return await query?.run(values, AbortSignal.timeout(30_000))
  } finally {
    kept.settle()
    await kept.discard()
  }
}

describe('docs/guides/lookups.md, with what it asks', function () {
  this.timeout(120_000)

  for (const kind of kinds) {
    it(`finds people in ${kind.name}`, async function () {
      kind.require(this)
      const database = await kind.start()
      try {
        await database.query(blocks.find(({ language }) => language === 'sql')?.text ?? '')
        const { port, username, password = '', host, database: name } = kind.login(database.port)
        const engine = kind.name
        const store = { ...shown('policies/data-stores/hr.json'), engine, host, port, database: name, username, tls: false }
        const policy = 'policies/processor-policies/staff-of-hr.json'
        // The guide's own are for PostgreSQL; only the quotes around a name are others.
        const found = (lookup: string, value: QueryValue) => ask(sql, store, { 'keys/hr.password': password }, policy, lookup, [value])
        expect(await found('person', 'alice@example.com')).to.deep.equal([{ number: '4711' }])
        expect(await found('person', "' OR ''='")).to.deep.equal([])
        if (kind.name === 'mariadb') return
        expect(await found('department', '4711')).to.deep.equal([{ department: 'Orders', costCentre: 'c-100' }])
        expect(await found('department', '4712')).to.deep.equal([])
      } finally {
        await database.stop()
      }
    })
  }

  it('finds people in a service', async () => {
    const service = await startPeopleService()
    try {
      const lookups = shown('policies/processor-policies/staff-of-the-api.json').processors as [
        { lookups: Record<string, { description: string }> },
      ]
      const said = new Map(
        Object.values(lookups[0].lookups).map(({ description }) => {
          const [, method = '', target = '', json = ''] = /^(\w+) (\S+?)(?: with the JSON of the body)?: (.*)$/.exec(description) ?? []
          return [`${method} ${target}`, JSON.parse(json)]
        }),
      )
      service.answer = ({ method, target, headers }) => {
        const json = headers.authorization === 'Bearer token-of-the-api' ? said.get(`${method} ${target}`) : undefined
        return json === undefined ? { status: 500 } : { json }
      }
      const store = {
        ...shown('policies/data-stores/people-api.json'),
        url: `${service.url}/v2`,
        allowPrivateNetwork: true,
        ca: { file: 'ca' },
      }
      const texts = { 'keys/people-api.token': 'token-of-the-api', ca: service.certificatePem }
      const found = (lookup: string) =>
        ask(http, store, texts, 'policies/processor-policies/staff-of-the-api.json', lookup, ['alice@example.com'])
      expect(await found('person')).to.deep.equal([{ number: 4711, manager: 'bob@example.com' }])
      expect(await found('reports')).to.deep.equal([{ number: 4712 }])
      expect(JSON.parse(service.requests.at(-1)?.body ?? '')).to.deep.equal({ reportsTo: 'alice@example.com', active: true })
    } finally {
      await service.stop()
    }
  })
})
