import { expect } from 'chai'
import { TemplateSource } from '../../../src/config/values.ts'
import type { Row } from '../../../src/data-stores/data-store.ts'
import type { SqlServer } from '../../../src/data-stores/sql/server.ts'
import { UnfitAnswer } from '../../../src/data-stores/unfit-answer.ts'
import type { JsonObject, JsonValue } from '../../../src/json.ts'
import type { Outage } from '../../../src/oauth/errors.ts'
import type { RealDatabase } from '../../real/database-process.ts'
import { lookupParts } from '../templates.ts'
import { type Kind, kinds, storeIn } from './databases.ts'

type Case = readonly [sql: string, schema: JsonObject, value: JsonValue]

const string = { type: 'string' }
const number = { type: 'number' }
const integer = { type: 'integer' }
const boolean = { type: 'boolean' }
const strings = { type: 'array', items: string }

/** What both kinds say in the same words. */
const everywhere: readonly Case[] = [
  ["'text'", string, 'text'],
  ["'😀 ü'", string, '😀 ü'],
  ["''", string, ''],
  ['NULL', { type: ['string', 'null'] }, null],
  ['5', integer, 5],
  ['5', string, '5'],
  ['5', { type: ['integer', 'null'] }, 5],
  ['9007199254740991', integer, 9007199254740991],
  ['9007199254740993', string, '9007199254740993'],
  ['-9223372036854775808', string, '-9223372036854775808'],
  ['9007199254740993', { type: ['integer', 'string'] }, '9007199254740993'],
  ['12.10', number, 12.1],
  ['12.10', string, '12.10'],
  ['123456789012345678.25', string, '123456789012345678.25'],
  ["DATE '2026-02-03'", string, '2026-02-03'],
  ["TIMESTAMP '2026-02-03 04:05:06'", string, '2026-02-03T04:05:06'],
]

const here: Readonly<Record<Kind['name'], readonly Case[]>> = {
  postgresql: [
    ['true', boolean, true],
    ['false', boolean, false],
    ["'2026-02-03 04:05:06.789+02'::timestamptz", string, '2026-02-03T02:05:06.789Z'],
    ["TIMESTAMP '2026-02-03 04:05:06.123456'", string, '2026-02-03T04:05:06.123456'],
    ["'7 days 01:00'::interval", string, 'P7DT1H'],
    ['\'{"a": [1, null, "x"]}\'::json', { type: 'object' }, { a: [1, null, 'x'] }],
    ["'[1, 2]'::jsonb", { type: 'array' }, [1, 2]],
    ['\'"text"\'::jsonb', string, 'text'],
    ["ARRAY['a', 'b,c', 'd\"e', NULL]", { type: 'array' }, ['a', 'b,c', 'd"e', null]],
    ["'{}'::text[]", strings, []],
    ['ARRAY[1, 2]', { type: 'array', items: integer }, [1, 2]],
    ['ARRAY[1, 2]::bigint[]', strings, ['1', '2']],
    [
      'ARRAY[[1, 2], [3, 4]]',
      { type: 'array', items: { type: 'array', items: integer } },
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['ARRAY[true, false]', { type: 'array', items: boolean }, [true, false]],
    ['(SELECT x FROM one)', string, '3q2+7w=='],
    ["'6F9619FF-8B86-D011-B42D-00C04FC964FF'::uuid", string, '6f9619ff-8b86-d011-b42d-00c04fc964ff'],
    ['1.5::float8', number, 1.5],
    ["'NaN'::float8", string, 'NaN'],
    ["'a'::char(3)", string, 'a  '],
    ["'10.0.0.1'::inet", string, '10.0.0.1'],
  ],
  mariadb: [
    ['CAST(1 AS SIGNED)', boolean, true],
    ['0', boolean, false],
    ["TIMESTAMP '2026-02-03 04:05:06.123456'", string, '2026-02-03T04:05:06.123456'],
    ['\'{"a": [1, null, "x"]}\'', { type: 'object' }, { a: [1, null, 'x'] }],
    ["JSON_ARRAY('a', 'b')", strings, ['a', 'b']],
    ["x'deadbeef'", string, '3q2+7w=='],
    ['1.5e0', number, 1.5],
    ["CAST('0000-00-00' AS DATE)", { type: ['string', 'null'] }, null],
    ['CAST(18446744073709551615 AS UNSIGNED)', string, '18446744073709551615'],
    ["TIME '25:00:00'", string, '25:00:00'],
  ],
}

for (const kind of kinds) {
  describe(`data-stores/sql: types of ${kind.name}`, function () {
    this.timeout(120_000)
    let database: RealDatabase
    let server: SqlServer

    before(async function () {
      kind.require(this)
      database = await kind.start()
      server = kind.server(kind.login(database.port))
      await database.query(
        kind.name === 'mariadb'
          ? "CREATE TABLE bits (x BIT(1)); INSERT INTO bits VALUES (b'1')"
          : "CREATE TABLE one AS SELECT '\\xdeadbeef'::bytea AS x",
      )
    })
    after(async () => {
      await server?.close()
      await database?.stop()
    })

    const ask = async (sql: string, schema: JsonObject): Promise<readonly Row[]> => {
      const query = new TemplateSource(`SELECT ${sql.replaceAll('{', '{{').replaceAll('}', '}}')} AS x`)
      const parts = lookupParts(['x'])
      const prepared = storeIn(kind, server, { x: schema }).prepare({ query }, parts)
      expect(parts.problems).to.deep.equal([])
      return await prepared.run([], new AbortController().signal)
    }

    for (const [sql, schema, value] of [...everywhere, ...here[kind.name]]) {
      it(`${sql} as ${JSON.stringify(schema)}`, async () => expect(await ask(sql, schema)).to.deep.equal([{ x: value }]))
    }

    if (kind.name === 'mariadb') {
      it('a column of BIT(1) as a boolean', async () => {
        const query = new TemplateSource('SELECT x FROM bits')
        const prepared = storeIn(kind, server, { x: boolean }).prepare({ query }, lookupParts(['x']))
        expect(await prepared.run([], new AbortController().signal)).to.deep.equal([{ x: true }])
      })
    }

    it('loses no digit silently', async () => {
      for (const sql of ['9007199254740993', '123456789012345678.25', '0.1234567890123456789']) {
        const error = (await ask(sql, number).catch(error => error)) as Outage
        expect(error).to.be.instanceOf(UnfitAnswer)
        expect((error.cause as Error).message).to.equal('x has more digits than a number keeps; declare it as a string')
      }
    })

    it('says so where a text is no JSON', async () => {
      const error = (await ask("'{oops'", { type: 'object' }).catch(error => error)) as Outage
      expect((error.cause as Error).message).to.equal('x is no JSON')
    })
  })
}
