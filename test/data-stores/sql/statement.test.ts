import { expect } from 'chai'
import type { Dialect } from '../../../src/data-stores/sql/dialect.ts'
import { mysqlDialect } from '../../../src/data-stores/sql/mysql-dialect.ts'
import { postgresqlDialect } from '../../../src/data-stores/sql/postgresql-dialect.ts'
import { statementOf } from '../../../src/data-stores/sql/statement.ts'
import { SqlMistake } from '../../../src/data-stores/sql/tokens.ts'
import { templateOf } from '../templates.ts'

const dialects: Record<string, Dialect> = { postgresql: postgresqlDialect, mysql: mysqlDialect }

function textOf(source: string, dialect: Dialect): string {
  return statementOf(templateOf(source), dialect).text
}

/** The message, and the text from the place on that it names. */
function mistakeIn(source: string, dialect: Dialect): string {
  try {
    return `taken: ${textOf(source, dialect)}`
  } catch (error) {
    if (!(error instanceof SqlMistake)) throw error
    return `${source.slice(error.offset)} | ${error.message}`
  }
}

describe('data-stores/sql: statements', () => {
  it('binds every value, in the order in which it stands', () => {
    const source = 'SELECT a FROM t WHERE x = {one} AND (y={two} OR z IN ({three},{one}))'
    const { text, parameters } = statementOf(templateOf(source), postgresqlDialect)
    expect(text).to.equal('SELECT a FROM t WHERE x =  $1  AND (y= $2  OR z IN ( $3 , $4 ))')
    expect(parameters.map(parameter => parameter(["'; drop table t; --", 2, true, 'again']))).to.deep.equal([
      "'; drop table t; --",
      '2',
      'true',
      'again',
    ])
    expect(textOf(source, mysqlDialect)).to.equal('SELECT a FROM t WHERE x =  ?  AND (y= ?  OR z IN ( ? , ? ))')
  })

  const everywhere: Array<[source: string, mistake: RegExp]> = [
    ["SELECT a FROM t WHERE x = '{v}'", /^\{v\}' \| a value stands in a text in quotes; a value needs no quotes/],
    ["SELECT a FROM t WHERE x LIKE '%' || 'a {v}%'", /^\{v\}%' \| a value stands in a text in quotes/],
    ["SELECT a FROM t WHERE x = 'it''s {v}'", /^\{v\}' \| a value stands in a text in quotes/],
    ['SELECT a FROM t WHERE "{v}" = 1', /^\{v\}" = 1 \| a value stands in a (name|text) in quotes/],
    ['SELECT a FROM t -- {v}\nWHERE x = 1', /^\{v\}\n.* \| a value stands in a comment/s],
    ['SELECT a FROM t /* {v} */ WHERE x = 1', /^\{v\} .* \| a value stands in a comment/],
    ['SELECT a FROM t WHERE x =/* a */{v}/* {v} */', /^\{v\} \*\/ \| a value stands in a comment/],
    ["SELECT a FROM t WHERE x = 'unended", /^'unended \| a text in quotes begins here and does not end/],
    ['SELECT a FROM t WHERE x = {v} /* unended', /^\/\* unended \| a comment begins here and does not end/],
    ["SELECT a FROM t WHERE x = 'back\\' OR y = {v} -- '", /^\\' OR .*\| a backslash in a text means different things/],
    ['SELECT a FROM t WHERE x{v} = 1', /^\{v\} = 1 \| a value touches "x"/],
    ['SELECT a FROM t WHERE x = {v}5', /^\{v\}5 \| a value touches "5"/],
    ['SELECT a FROM t WHERE x = {v}{w}', /^\{v\}\{w\} \| a value touches another/],
    ["SELECT a FROM t WHERE x = N{v}'a'", /^\{v\}'a' \| a value touches "N"/],
    ['SELECT a FROM t.{v}', /^\{v\} \| a value touches "."/],
    ['SELECT a FROM t WHERE x = @{v}', /^\{v\} \| a value touches "@"/],
    ['SELECT a FROM {v}', /^\{v\} \| a value stands where FROM has a name/],
    ['SELECT a FROM t ORDER BY {v}', /^\{v\} \| a value stands where BY has a name/],
    ['SELECT {v} AS {v} FROM t', /^\{v\} FROM t \| a value stands where AS has a name/],
    ['SELECT a FROM t WHERE x LIKE {v}', /^\{v\} \| a value stands in the pattern of LIKE, .*; compare with "="$/],
    ["SELECT a FROM t WHERE x not like CONCAT('%', lower({v}), '%') AND y = 1", /^\{v\}\).* \| a value stands in the pattern of LIKE/],
    ["SELECT a FROM t WHERE x LIKE (coalesce(y, 'z') || {v})", /^\{v\}\) \| a value stands in the pattern of LIKE/],
    ['SELECT 1; SELECT 2', /^SELECT 2 \| a second statement begins here/],
    ['SELECT 1; DROP TABLE t', /^DROP .* \| a second statement begins here/],
    ['DROP TABLE t', /^DROP TABLE t \| a lookup only reads: expected SELECT, WITH, VALUES or TABLE instead of "DROP"/],
    ['UPDATE t SET a = {v}', /^UPDATE .* \| a lookup only reads/],
    ['CALL find_person({v})', /^CALL .* \| a lookup only reads/],
    ['EXPLAIN SELECT 1', /^EXPLAIN .* \| a lookup only reads/],
    ['  -- nothing', /^ {2}-- nothing \| expected a SELECT statement/],
    ['SELECT a INTO t2 FROM t', /^INTO .* \| a lookup only reads: there is no INTO in it/],
    ["SELECT a FROM t INTO OUTFILE '/tmp/x'", /^INTO .* \| a lookup only reads/],
    ['SELECT a FROM t FOR UPDATE', /^FOR UPDATE \| a lookup locks no rows/],
    ['SELECT a FROM t FOR NO KEY UPDATE', /^FOR NO .* \| a lookup locks no rows/],
    ['SELECT a FROM t LOCK IN SHARE MODE', /^LOCK .* \| a lookup locks no rows/],
    ['WITH gone AS (DELETE FROM t RETURNING a) SELECT a FROM gone', /^DELETE .* \| a lookup only reads: there is no DELETE in it/],
    ['WITH x AS (SELECT 1) UPDATE t SET a = 1', /^UPDATE .* \| a lookup only reads: there is no UPDATE in it/],
    ['SELECT a /*! , b */ FROM t', /^\/\*! .* \| a comment that some servers execute is no comment/],
    ['SELECT a /*M!100000 , b */ FROM t', /^\/\*M!.* \| a comment that some servers execute is no comment/],
    ['SELECT a FROM t WHERE x = {v} \0', /\| has a NUL character/],
  ]
  for (const [name, dialect] of Object.entries(dialects)) {
    for (const [source, mistake] of everywhere) {
      it(`refuses for ${name}: ${JSON.stringify(source)}`, () => {
        expect(mistakeIn(source, dialect)).to.match(mistake)
      })
    }
  }

  const here: Array<[dialect: string, source: string, mistake: RegExp]> = [
    ['postgresql', 'SELECT $$ {v} $$', /^\{v\} \$\$ \| a value stands in a text in quotes/],
    ['postgresql', "SELECT $a$ it's $$ {v} $a$", /^\{v\} \$a\$ \| a value stands in a text/],
    ['postgresql', 'SELECT $a$ unended $A$', /^\$a\$ .* does not end/],
    ['postgresql', 'SELECT /* a /* b */ {v} */ 1', /^\{v\} \*\/ 1 \| a value stands in a comment/],
    ['postgresql', "SELECT E'a\\' OR {v} --'", /a backslash in a text/],
    ['postgresql', 'SELECT $1', /^\$1 \| values are written \{expression\}, not "\$1"/],
    ['postgresql', 'SELECT a FROM t WHERE x ILIKE {v}', /a value stands in the pattern of ILIKE/],
    ['postgresql', 'SELECT a FROM t WHERE x SIMILAR TO {v}', /a value stands in the pattern of SIMILAR/],
    ['postgresql', 'SELECT a FROM t WHERE x !~* {v}', /a value stands in the pattern of ~/],
    ['postgresql', "SELECT a FROM t WHERE x ~~ ('%' || {v})", /a value stands in the pattern of ~/],
    ['mysql', 'SELECT a FROM t WHERE x REGEXP {v}', /a value stands in the pattern of REGEXP/],
    ['mysql', 'SELECT a FROM t WHERE x RLIKE BINARY {v}', /a value stands in the pattern of RLIKE/],
    ['mysql', 'SELECT a FROM t WHERE MATCH (x) AGAINST ({v} IN BOOLEAN MODE)', /a value stands in the pattern of AGAINST/],
    ['postgresql', 'SELECT 1 --{v}', /^\{v\} \| a value stands in a comment/],
    ['mysql', 'SELECT 1 # {v}', /^\{v\} \| a value stands in a comment/],
    ['mysql', 'SELECT 1 --{v}', /^\{v\} \| a value stands in a comment/],
    ['mysql', 'SELECT `{v}`', /^\{v\}` \| a value stands in a name in quotes/],
    ['mysql', 'SELECT a FROM t WHERE x = ?', /^\? \| values are written \{expression\}, not "\?"/],
    ['mysql', 'SELECT "\\"{v}"', /a backslash in a text/],
    ['mysql', 'SELECT /* a /* b */ {v} */ 1', /^taken: /],
  ]
  for (const [name, source, mistake] of here) {
    it(`reads as ${name} does: ${JSON.stringify(source)}`, () => {
      expect(mistakeIn(source, dialects[name] as Dialect)).to.match(mistake)
    })
  }

  const taken: Array<[dialect: string, source: string, text: string]> = [
    ['postgresql', "SELECT 'it''s; -- here' AS x FROM t WHERE a = {v};", "SELECT 'it''s; -- here' AS x FROM t WHERE a =  $1 ;"],
    ['postgresql', "SELECT data ? 'a', $q$ {{ ' $q$ FROM t -- the end", "SELECT data ? 'a', $q$ { ' $q$ FROM t -- the end"],
    ['postgresql', 'SELECT a$1 FROM t WHERE b = {v}::uuid', 'SELECT a$1 FROM t WHERE b =  $1 ::uuid'],
    [
      'postgresql',
      "SELECT a LIKE 'x%' AS b, {v} AS c FROM t WHERE (d LIKE 'y%') = {w} AND e ~ 'z' AND f = {v}",
      "SELECT a LIKE 'x%' AS b,  $1  AS c FROM t WHERE (d LIKE 'y%') =  $2  AND e ~ 'z' AND f =  $3 ",
    ],
    [
      'mysql',
      'SELECT a FROM t WHERE x LIKE (SELECT p FROM q WHERE r = {v})',
      'SELECT a FROM t WHERE x LIKE (SELECT p FROM q WHERE r =  ? )',
    ],
    ['mysql', 'SELECT a FROM t WHERE x LIKE y OR ~z = {v}', 'SELECT a FROM t WHERE x LIKE y OR ~z =  ? '],
    ['postgresql', '(SELECT a FROM t) UNION VALUES ({v})', '(SELECT a FROM t) UNION VALUES ( $1 )'],
    ['postgresql', 'SELECT 5--{{}}\n-{v}', 'SELECT 5--{}\n- $1 '],
    [
      'mysql',
      "SELECT INSERT('abc', 1, 1, {v}), REPLACE(a, 'x', 'y') FROM t",
      "SELECT INSERT('abc', 1, 1,  ? ), REPLACE(a, 'x', 'y') FROM t",
    ],
    ['mysql', 'SELECT 5--1 FROM `my # table`', 'SELECT 5--1 FROM `my # table`'],
    ['mysql', 'WITH p AS (SELECT 1) SELECT * FROM p WHERE {v} = 1', 'WITH p AS (SELECT 1) SELECT * FROM p WHERE  ?  = 1'],
  ]
  for (const [name, source, text] of taken) {
    it(`takes for ${name}: ${JSON.stringify(source)}`, () => expect(textOf(source, dialects[name] as Dialect)).to.equal(text))
  }
})
