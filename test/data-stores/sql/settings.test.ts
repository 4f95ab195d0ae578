import { expect } from 'chai'
import { sql } from '../../../src/data-stores/sql.ts'
import type { DataStoreKind } from '../../../src/data-stores/store-kind.ts'
import { certifiedKey } from '../../support/certificates.ts'
import { buildStore } from '../build-store.ts'
import { lookupParts } from '../templates.ts'
import { kinds } from './databases.ts'

const file = {
  engine: 'postgresql',
  host: 'db.example.com',
  database: 'hr',
  username: 'cambist',
  password: { env: 'PASSWORD' },
  attributes: { id: { type: 'string' }, mail: { type: 'string' } },
}

describe('data store sql, its file', () => {
  it('has no problems where there are none', async () => {
    for (const more of [
      {},
      { engine: 'mysql' },
      { engine: 'mariadb', port: 3307 },
      { host: '127.0.0.1', tls: false },
      { host: '10.0.0.5' },
    ]) {
      const { problems, warnings } = await buildStore(sql, { ...file, ...more })
      expect([problems, warnings]).to.deep.equal([[], []])
    }
  })

  const mistakes: ReadonlyArray<readonly [what: string, more: object, expected: RegExp]> = [
    ['a kind of database that is none of them', { engine: 'oracle' }, /^engine: /],
    ['a URL for a host', { host: 'postgres://db.example.com' }, /^host: expected a host name or an address, without scheme and port/],
    ['a literal password', { password: 'secret' }, /^password: a secret or a key never stands in the configuration/],
    ['an authority for nothing', { tls: false, ca: { env: 'CA' } }, /^ca: is for encrypted connections, and "tls" is false/],
    ['an authority that is none', { ca: { env: 'CA' } }, /^ca: has no certificate in PEM/],
    ['a certificate without its key', { certificate: { env: 'CERT' } }, /belong together/],
    ['a certificate for an address, with MySQL', { engine: 'mysql', host: '10.0.0.5' }, /^host: expected a name, since the certificate/],
    ['a schema that is none', { attributes: { id: 'string' } }, /^attributes\.id: /],
    ['a member that is none', { usernam: 'cambist' }, /unknown member "usernam"; did you mean "username"/],
    ['a pool of none', { connections: { max: 0 } }, /^connections\.max: /],
  ]
  for (const [what, more, expected] of mistakes) {
    it(`may not have ${what}`, async () => {
      const { problems } = await buildStore(sql, { ...file, ...more }, { CA: 'nonsense' })
      expect(problems.join('\n')).to.match(expected)
    })
  }

  for (const kind of kinds) {
    it(`does nothing before it is asked: ${kind.name}`, async () => {
      const timers = () => process.getActiveResourcesInfo().filter(resource => resource === 'Timeout').length
      const before = timers()
      const server = kind.server(kind.login(1))
      expect(timers()).to.equal(before)
      await server.close()
    })
  }

  it('may not have the key of another certificate', async () => {
    const [one, other] = [certifiedKey('ES256'), certifiedKey('ES256')]
    const pair = { ...file, certificate: { env: 'CERT' }, privateKey: { env: 'KEY' } }
    expect((await buildStore(sql, pair, { CERT: one.certificatePem, KEY: one.privateKeyPem })).problems).to.deep.equal([])
    expect((await buildStore(sql, pair, { CERT: one.certificatePem, KEY: other.privateKeyPem })).problems).to.deep.equal([
      'certificate: is no certificate (PEM) with the key of "privateKey"',
    ])
  })

  it('warns of a password that others can read on its way', async () => {
    expect((await buildStore(sql, { ...file, tls: false })).warnings).to.deep.equal(['sql-unencrypted tls'])
  })
})

describe('data store sql, a lookup', () => {
  const problemsOf = async (lookup: object, engine = 'postgresql', attributes = ['id', 'mail']) => {
    const { store } = await buildStore(sql as DataStoreKind, { ...file, engine })
    if (store === undefined) throw new Error('the store has problems')
    const parsed = store.lookup.safeParse(lookup)
    if (!parsed.success) return parsed.error.issues.map(issue => `${issue.path.join('.')} ${issue.message}`)
    const parts = lookupParts(attributes)
    store.client.prepare(parsed.data, parts)
    return parts.problems
  }

  const sound = [
    { query: 'SELECT id, mail FROM people WHERE mail = {x}' },
    { table: 'people', where: { mail: '{x}' } },
    { table: 'hr.people', where: { mail: '{x}@example.com', id: '{y}' }, columns: { id: 'emp_no' }, caseSensitive: false },
  ]
  for (const lookup of sound) it(`may be ${JSON.stringify(lookup)}`, async () => expect(await problemsOf(lookup)).to.deep.equal([]))

  const mistakes: ReadonlyArray<readonly [lookup: object, problem: string]> = [
    [{}, ' expected "query", or "table" and "where"'],
    [{ table: 'people' }, ' expected "where": which rows of the table are meant'],
    [{ table: 'people', where: {} }, ' expected "where": which rows of the table are meant'],
    [{ table: 'a.b.c', where: { x: '{x}' } }, 'table expected a table, or a schema and a table: "hr.people"'],
    [{ query: 'SELECT 1', where: { x: '{x}' } }, 'where is for lookups without "query", which says it all'],
    [{ query: 'SELECT 1', caseSensitive: true }, 'caseSensitive is for lookups without "query", which says it all'],
    [{ table: 'people', where: { x: '{x}' }, columns: { idd: 'x' } }, 'columns.idd "attributes" has no "idd"; did you mean "id"?'],
    [
      { query: "SELECT id FROM people WHERE mail = '{x}'" },
      'query:36 a value stands in a text in quotes; a value needs no quotes, it is never part of the text',
    ],
    [{ query: 'DELETE FROM people' }, 'query:0 a lookup only reads: expected SELECT, WITH, VALUES or TABLE instead of "DELETE"'],
    [{ sql: 'SELECT 1' }, ' unknown member "sql"'],
    [{ filter: '(a=b)', query: 'SELECT 1' }, ' unknown member "filter"'],
  ]
  for (const [lookup, problem] of mistakes) {
    it(`may not be ${JSON.stringify(lookup)}`, async () => expect(await problemsOf(lookup)).to.deep.equal([problem]))
  }

  it('is read as its own kind of database reads it', async () => {
    const lookup = { query: 'SELECT id, mail FROM people WHERE mail = {x} # {y}' }
    expect(await problemsOf(lookup, 'mysql')).to.have.length(1)
    expect(await problemsOf(lookup, 'postgresql')).to.deep.equal([])
  })

  it('is shown with its values beside it', async () => {
    const { store } = await buildStore(sql, file)
    const parse = (lookup: object) => store?.lookup.parse(lookup)
    const query = store?.client.prepare(parse({ table: 'hr.people', where: { mail: '{x}', active: '{y}' } }), lookupParts(['id']))
    expect(query?.describe(["o'neil", true])).to.equal(
      `SELECT "id" AS "id" FROM "hr"."people" WHERE "mail" = $1 AND "active" = $2 LIMIT 2\n1: "o'neil", 2: "true"`,
    )
  })
})
