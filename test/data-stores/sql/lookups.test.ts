import { expect } from 'chai'
import pino from 'pino'
import { TemplateSource } from '../../../src/config/values.ts'
import { Breaker } from '../../../src/data-stores/breaker.ts'
import type { QueryValue, Row } from '../../../src/data-stores/data-store.ts'
import type { SqlServer } from '../../../src/data-stores/sql/server.ts'
import { UnfitAnswer } from '../../../src/data-stores/unfit-answer.ts'
import type { JsonObject } from '../../../src/json.ts'
import { Outage } from '../../../src/oauth/errors.ts'
import type { RealDatabase } from '../../real/database-process.ts'
import { lookupParts } from '../templates.ts'
import { kinds, storeIn } from './databases.ts'

const string = { type: 'string' }
const person = { id: { type: 'integer' }, mail: string }

/** Texts that mean something to somebody on their way. */
const hostile = [
  "'; DROP TABLE people; --",
  "' OR '1'='1",
  "\\' OR 1=1 -- ",
  '\\',
  '\\\\',
  "''",
  '"',
  '`',
  '-- ',
  '--',
  '#',
  '/*',
  '*/',
  '/*! */',
  '?',
  '$1',
  ':name',
  '{subject}',
  '%',
  '_',
  '../',
  '%2e%2e',
  'a\r\nb',
  '\t',
  '0',
  '1',
  'true',
  'null',
  'NULL',
  '\u2019 OR 1=1',
  '\uff07 OR 1=1',
  '\u02bc',
  '\u200b',
  '😀',
  ' ',
  'x'.repeat(5_000),
]

/** Of each kind, statements with a value that they cannot be worked out with, and one that they can. */
const failing: Record<
  (typeof kinds)[number]['name'],
  { setUp: string; queries: ReadonlyArray<readonly [query: string, bad: string, good: string]> }
> = {
  postgresql: {
    setUp: `CREATE FUNCTION picky(v text) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN IF v = 'h4rd' THEN RAISE 'not %', v; END IF; RETURN 1; END $$`,
    queries: [
      ["SELECT id FROM people WHERE regexp_replace(mail, {v}, '') = ''", 'h4rd(', 'ann'],
      ["SELECT id FROM people WHERE to_tsvector('simple', mail) @@ to_tsquery('simple', {v})", 'h4rd & |', 'ann'],
      ['SELECT id FROM people WHERE to_jsonb(mail) @? {v}::jsonpath', '$.h4rd[', '$.b'],
      ['SELECT id FROM people WHERE id = CAST(left({v}, 100) AS int)', 'h4rd', '6'],
      ['SELECT id FROM people WHERE id = 1 / length({v})', '', 'a'],
      ["SELECT id FROM people WHERE date_part({v}, timestamp '2026-01-01') = 1", 'h4rd', 'month'],
      ['SELECT id FROM people WHERE note = repeat(note, {v}::int)', '2000000000', '1'],
      ['SELECT picky({v}) AS id', 'h4rd', 'soft'],
      ["SELECT id FROM people WHERE {v}::regclass = 'people'::regclass AND id = 6", 'h4rd', 'people'],
    ],
  },
  mariadb: {
    setUp: `CREATE FUNCTION picky(v TEXT) RETURNS INT BEGIN IF v = 'h4rd' THEN SIGNAL SQLSTATE '45000'; END IF; RETURN 1; END`,
    queries: [
      ["SELECT id FROM people WHERE REGEXP_REPLACE(mail, {v}, '') = ''", 'h4rd(', 'ann'],
      ['SELECT picky({v}) AS id', 'h4rd', 'soft'],
    ],
  },
}

for (const kind of kinds) {
  describe(`data-stores/sql: lookups in ${kind.name}`, function () {
    this.timeout(120_000)
    let database: RealDatabase
    let server: SqlServer

    before(async function () {
      kind.require(this)
      database = await kind.start()
      server = kind.server(kind.login(database.port))
      const text = kind.name === 'mariadb' ? 'LONGTEXT' : 'TEXT'
      await database.query(`CREATE TABLE people (id INT PRIMARY KEY, mail VARCHAR(100), note ${text}, active BOOLEAN);
        CREATE INDEX by_mail ON people (mail);
        INSERT INTO people VALUES (0, 'zero@example.com', 'nothing', true), (5, 'five@example.com', 'five', false),
          (6, 'ann', 'Ann', true), (7, 'abc', NULL, true), (8, 'twice', 'a', true), (9, 'twice', 'b', true);
        CREATE SCHEMA archive; CREATE TABLE archive.people (id INT, mail VARCHAR(100)); INSERT INTO archive.people VALUES (99, 'old');`)
    })
    after(async () => {
      await server?.close()
      await database?.stop()
    })

    const ask = (
      query: string,
      values: readonly QueryValue[],
      attributes: Readonly<Record<string, JsonObject>> = person,
      atMost = 2,
    ): Promise<readonly Row[]> => {
      const parts = lookupParts(Object.keys(attributes), { atMost })
      const prepared = storeIn(kind, server, attributes).prepare({ query: new TemplateSource(query) }, parts)
      expect(parts.problems).to.deep.equal([])
      return prepared.run(values, new AbortController().signal)
    }

    const askTable = (
      where: Record<string, string>,
      values: readonly QueryValue[],
      others: { table?: string; columns?: Record<string, string>; caseSensitive?: boolean } = {},
    ): Promise<readonly Row[]> => {
      const parts = lookupParts(['id'])
      const conditions = Object.fromEntries(Object.entries(where).map(([column, text]) => [column, new TemplateSource(text)]))
      const lookup = { table: 'people', where: conditions, ...others }
      const prepared = storeIn(kind, server, person).prepare(lookup, parts)
      expect(parts.problems).to.deep.equal([])
      return prepared.run(values, new AbortController().signal)
    }

    it('finds what a query asks for', async () => {
      expect(await ask('SELECT id, mail FROM people WHERE mail = {v}', ['five@example.com'])).to.deep.equal([
        { id: 5, mail: 'five@example.com' },
      ])
      expect(await ask('SELECT id, mail FROM people WHERE mail = {v}', ['nobody'])).to.deep.equal([])
      expect(await ask('SELECT id, mail FROM people WHERE id = {v}', [5])).to.deep.equal([{ id: 5, mail: 'five@example.com' }])
      expect(await ask('SELECT id, mail FROM people WHERE id = {v} AND active = {w}', [5, true])).to.deep.equal([])
    })

    it('finds what a table has', async () => {
      expect(await askTable({ mail: '{v}' }, ['five@example.com'])).to.deep.equal([{ id: 5 }])
      expect(await askTable({ mail: '{v}@example.com', id: '{w}' }, ['five', 5])).to.deep.equal([{ id: 5 }])
      expect(await askTable({ mail: '{v}', id: '{w}' }, ['five@example.com', 6])).to.deep.equal([])
      expect(await askTable({ mail: '{v}' }, ['old'], { table: 'archive.people' })).to.deep.equal([{ id: 99 }])
    })

    it('reads attributes from columns of other names', async () => {
      const parts = lookupParts(['number'])
      const lookup = { table: 'people', columns: { number: 'id' }, where: { mail: new TemplateSource('{v}') } }
      const prepared = storeIn(kind, server, { number: string }).prepare(lookup, parts)
      expect(await prepared.run(['ann'], new AbortController().signal)).to.deep.equal([{ number: '6' }])
    })

    it('gives no more rows than anybody looks at', async () => {
      expect(await ask('SELECT id, mail FROM people ORDER BY id', [], person, 3)).to.have.length(3)
      expect(await askTable({ mail: '{v}' }, ['twice'])).to.have.length(2)
    })

    it('finds a hostile text where it stands, and nothing else', async () => {
      await database.query('CREATE TABLE texts (id INT PRIMARY KEY, text VARCHAR(6000))')
      for (const [id, text] of hostile.entries()) {
        const hex = Buffer.from(text).toString('hex')
        const literal = kind.name === 'mariadb' ? `CONVERT(x'${hex}' USING utf8mb4)` : `convert_from('\\x${hex}', 'UTF8')`
        await database.query(`INSERT INTO texts VALUES (${id}, ${literal})`)
      }
      for (const [id, text] of hostile.entries()) {
        const rows = await askTable({ text: '{v}' }, [text], { table: 'texts' })
        expect(rows, JSON.stringify(text)).to.deep.equal([{ id }])
        const queried = await ask('SELECT id FROM texts WHERE text = {v}', [text], { id: { type: 'integer' } }, 50)
        // Collations of MariaDB know some of them as the same text.
        if (kind.name === 'postgresql') expect(queried, JSON.stringify(text)).to.deep.equal([{ id }])
        else expect(queried, JSON.stringify(text)).to.deep.include({ id })
      }
      expect(await ask('SELECT count(*) AS id FROM people', [], { id: { type: 'integer' } })).to.deep.equal([{ id: 6 }])
    })

    it('finds nothing by what no column could have', async () => {
      for (const text of ['a\0b', '\0', '\ud800', 'ann\udc00']) {
        expect(await askTable({ mail: '{v}' }, [text]), JSON.stringify(text)).to.deep.equal([])
        expect(await ask('SELECT id, mail FROM people WHERE mail = {v}', [text])).to.deep.equal([])
      }
    })

    it('never takes a text for a number that it is not', async () => {
      for (const text of ['abc', '5abc', '5 OR 1=1', '', 'x', '1e999', '99999999999999999999999']) {
        expect(await askTable({ id: '{v}' }, [text]), text).to.deep.equal([])
        expect(await ask('SELECT id, mail FROM people WHERE id = {v}', [text]), text).to.deep.equal([])
        expect(await ask('SELECT id, mail FROM people WHERE id + 0 = {v}', [text]), text).to.deep.equal([])
      }
    })

    it('never takes a number or a boolean for every text', async () => {
      for (const value of [0, 1, true, false]) {
        expect(await askTable({ mail: '{v}' }, [value])).to.deep.equal([])
        expect(await ask('SELECT id, mail FROM people WHERE mail = {v}', [value])).to.deep.equal([])
      }
    })

    it('compares columns of a table letter by letter, unless told otherwise', async () => {
      for (const text of ['ANN', 'Ann', 'ann ', ' ann', 'änn', 'ann\u200b']) {
        expect(await askTable({ mail: '{v}' }, [text]), text).to.deep.equal([])
      }
      expect(await askTable({ mail: '{v}' }, ['ANN'], { caseSensitive: false })).to.deep.equal([{ id: 6 }])
      for (const text of ['ANN ', 'Änn']) expect(await askTable({ mail: '{v}' }, [text], { caseSensitive: false })).to.deep.equal([])
    })

    it('takes no letter for another one that has the same lower case', async () => {
      await database.query("INSERT INTO people (id, mail) VALUES (20, 'mark'), (21, 'win')")
      expect(await askTable({ mail: '{v}' }, ['MARK'], { caseSensitive: false })).to.deep.equal([{ id: 20 }])
      for (const text of ['mar\u212a', 'w\u0130n'])
        expect(await askTable({ mail: '{v}' }, [text], { caseSensitive: false }), text).to.deep.equal([])
    })

    it('says of a statement that cannot be worked out that its answer is no good, and not that nobody answers', async () => {
      const several = 'SELECT (SELECT id FROM people WHERE mail = {v}) AS id'
      expect(await ask(several, ['twice'], { id: { type: 'integer' } }).catch(error => error)).to.be.instanceOf(UnfitAnswer)
      expect(await ask(several, ['ann'], { id: { type: 'integer' } })).to.deep.equal([{ id: 6 }])
      expect(await ask('SELECT 1 AS other', [], { id: { type: 'integer' } }).catch(error => error)).to.be.instanceOf(UnfitAnswer)
      expect(await ask('SELECT id FROM peeple', [], { id: { type: 'integer' } }).catch(error => error)).not.to.be.instanceOf(UnfitAnswer)
    })

    it('says the same of a value with which a statement cannot be worked out, and leaves nobody else without the database', async () => {
      await database.query(failing[kind.name].setUp)
      const about = { store: 'hr', now: () => 0, log: pino({ level: 'silent' }) }
      const breaker = new Breaker({ failures: 2, pause: 60 })
      for (const [query, bad, good] of failing[kind.name].queries) {
        const asked = (value: string) => breaker.run(() => ask(query, [value], { id: { type: 'integer' } }), about)
        for (let count = 0; count < 3; count++) {
          const error = await asked(bad).catch(error => error)
          expect(error, `${query}: ${error.cause?.message}`).to.be.instanceOf(UnfitAnswer)
          expect(`${error.message} ${error.cause.message}`, query).not.to.contain('h4rd')
        }
        expect(breaker.state).to.equal('closed')
        await asked(good)
      }
    })

    if (kind.name === 'mariadb') {
      it('hears of guesses also from a server that keeps no warnings', async () => {
        await database.query('SET GLOBAL max_error_count = 0')
        const other = kind.server(kind.login(database.port))
        try {
          const parts = lookupParts(['id'])
          const query = new TemplateSource('SELECT id FROM people WHERE id = {v}')
          const prepared = storeIn(kind, other, person).prepare({ query }, parts)
          expect(await prepared.run(['5abc'], new AbortController().signal)).to.deep.equal([])
        } finally {
          await other.close()
          await database.query('SET GLOBAL max_error_count = 64')
        }
      })
    }

    it('does not find what is null', async () => {
      expect(await askTable({ note: '{v}' }, [''])).to.deep.equal([])
      expect(await askTable({ note: '{v}' }, ['null'])).to.deep.equal([])
    })

    it('quotes names of tables and columns', async () => {
      const odd = kind.name === 'mariadb' ? '`odd "name``; --`' : '"odd ""name`; --"'
      await database.query(`CREATE TABLE ${odd} (id INT, ${odd} VARCHAR(10)); INSERT INTO ${odd} VALUES (3, 'x')`)
      expect(await askTable({ 'odd "name`; --': '{v}' }, ['x'], { table: 'odd "name`; --' })).to.deep.equal([{ id: 3 }])
    })

    it('says of a broken query that the database cannot be asked, and goes on', async () => {
      for (const [query, words] of [
        ['SELECT id FROM peeple', /peeple/],
        ['SELECT id FROM people WHERE', /syntax/i],
        ['SELECT 1 AS other', /the query has no column "id"/],
        ['SELECT 1 AS id, 2 AS id', /the query has two columns "id"/],
      ] as const) {
        const error = await ask(query, [], { id: { type: 'integer' } }).then(
          () => undefined,
          error => error,
        )
        expect(error, query).to.be.instanceOf(Outage)
        expect((error as Outage).cause)
          .to.be.instanceOf(Error)
          .with.property('message')
          .that.matches(words)
      }
      expect((await kind.open(database)).all).to.be.at.most(4)
      expect(await askTable({ mail: '{v}' }, ['ann'])).to.deep.equal([{ id: 6 }])
    })

    it('writes nothing', async () => {
      const writing = kind.name === 'mariadb' ? 'SELECT write_it() AS id' : 'SELECT write_it() AS id'
      await database.query(
        kind.name === 'mariadb'
          ? 'CREATE FUNCTION write_it() RETURNS INT BEGIN INSERT INTO people (id) VALUES (1000); RETURN 1; END'
          : 'CREATE FUNCTION write_it() RETURNS INT LANGUAGE SQL AS $$ INSERT INTO people (id) VALUES (1000); SELECT 1 $$',
      )
      const error = await ask(writing, [], { id: { type: 'integer' } }).then(
        () => undefined,
        error => error,
      )
      expect(error).to.be.instanceOf(Outage)
      expect(await ask('SELECT id FROM people WHERE id = 1000', [], { id: { type: 'integer' } })).to.deep.equal([])
    })

    it('never says a value in an error', async () => {
      const query =
        kind.name === 'mariadb' ? 'SELECT JSON_EXTRACT(1, {v}) AS id, nowhere' : 'SELECT (1 / 0) AS id FROM people WHERE mail <> {v}'
      const error = (await ask(query, ['s3cret'], { id: { type: 'integer' } }).catch(error => error)) as Outage
      expect(error).to.be.instanceOf(Outage)
      expect(`${error.message} ${(error.cause as Error).message}`).not.to.contain('s3cret')
    })

    it('tries out what lookups ask', async () => {
      const store = storeIn(kind, server, person)
      expect(await store.tryOut()).to.equal('it answers')
      const parts = lookupParts(['id'])
      store.prepare({ query: new TemplateSource('SELECT id FROM people WHERE mail = {v} AND id = {w}') }, parts)
      expect(await store.tryOut()).to.equal('it answers, and knows what the lookup asks')
      const wrong = storeIn(kind, server, person)
      wrong.prepare({ query: new TemplateSource('SELECT id AS other FROM people') }, parts)
      expect((await wrong.tryOut().catch(error => error)).message).to.match(/^the query has no column "id", when asked: SELECT/)
      store.prepare({ table: 'people', columns: { id: 'nummer' }, where: { mail: new TemplateSource('{v}') } }, parts)
      const error = await store.tryOut().catch(error => error)
      expect(error.message).to.match(/nummer.*, when asked: SELECT/)
    })
  })
}
