import { didYouMean } from '../../config/suggest.ts'
import type { JsonObject } from '../../json.ts'
import { Outage } from '../../oauth/errors.ts'
import type { LookupParts, PreparedQuery, QueryValue, Row, StoreClient } from '../data-store.ts'
import { looksLikeAnotherLowered } from '../letter-case.ts'
import type { Dialect } from './dialect.ts'
import { columnOf, rowsOf } from './rows.ts'
import type { Question, SqlServer } from './server.ts'
import type { SqlLookup } from './settings.ts'
import { type Statement, statementOf } from './statement.ts'
import { tableStatement } from './table-statement.ts'
import { SqlMistake } from './tokens.ts'

const nothing: Statement = { text: '', parameters: [] }
const probeMilliseconds = 5_000

/** Lookups in a database. */
export class SqlClient implements StoreClient<SqlLookup> {
  readonly attributes: Readonly<Record<string, JsonObject>>
  readonly #server: SqlServer
  readonly #dialect: Dialect
  readonly #prepared: SqlQuery[] = []

  constructor(attributes: Readonly<Record<string, JsonObject>>, server: SqlServer, dialect: Dialect) {
    this.attributes = attributes
    this.#server = server
    this.#dialect = dialect
  }

  prepare(lookup: SqlLookup, parts: LookupParts): PreparedQuery {
    const statement = this.#statement(lookup, parts)
    const query = new SqlQuery(statement, this, this.#server, { ...parts, caseSensitive: lookup.caseSensitive ?? true })
    this.#prepared.push(query)
    return query
  }

  /** Asks every statement with values that nothing is equal to. */
  async tryOut(): Promise<string> {
    const question = { text: 'SELECT 1', values: [], atMost: 1, milliseconds: probeMilliseconds }
    await forPeople(question, () => this.#server.ask(question, AbortSignal.timeout(probeMilliseconds)))
    for (const query of this.#prepared) await query.tryOut()
    const { length } = this.#prepared
    return length === 0 ? 'it answers' : `it answers, and knows what ${length === 1 ? 'the lookup asks' : `${length} lookups ask`}`
  }

  #statement({ query, table, columns, where, caseSensitive }: SqlLookup, parts: LookupParts): Statement {
    if (query === undefined) return this.#tableStatement({ table, columns, where, caseSensitive }, parts)
    for (const [member, value] of Object.entries({ table, columns, where, caseSensitive }))
      if (value !== undefined) parts.problem([member], 'is for lookups without "query", which says it all')
    const compiled = parts.template(query, ['query'])
    try {
      return statementOf(compiled, this.#dialect)
    } catch (error) {
      if (!(error instanceof SqlMistake)) throw error
      parts.problem(['query'], error.message, error.offset)
      return nothing
    }
  }

  #tableStatement({ table = '', columns = {}, where = {}, caseSensitive = true }: Omit<SqlLookup, 'query'>, parts: LookupParts): Statement {
    if (table === '') parts.problem([], 'expected "query", or "table" and "where"')
    else if (Object.keys(where).length === 0) parts.problem([], 'expected "where": which rows of the table are meant')
    const names = table.split('.')
    if (table !== '' && (names.length > 2 || names.includes('')))
      parts.problem(['table'], 'expected a table, or a schema and a table: "hr.people"')
    for (const name of Object.keys(columns)) {
      if (!parts.attributes.includes(name))
        parts.problem(['columns', name], `"attributes" has no "${name}"${didYouMean(name, parts.attributes)}`)
    }
    const conditions = Object.entries(where).map(([column, value]) => ({ column, value: parts.template(value, ['where', column]) }))
    if (table === '' || conditions.length === 0) return nothing
    const selected = new Map(parts.attributes.map(name => [name, columns[name] ?? name]))
    return tableStatement({ table: names, columns: selected, where: conditions, caseSensitive, atMost: parts.atMost }, this.#dialect)
  }
}

type QueryParts = Pick<LookupParts, 'attributes' | 'atMost' | 'timeout'> & { readonly caseSensitive: boolean }

class SqlQuery implements PreparedQuery {
  readonly #statement: Statement
  readonly #store: Pick<SqlClient, 'attributes'>
  readonly #server: SqlServer
  readonly #parts: QueryParts

  constructor(statement: Statement, store: Pick<SqlClient, 'attributes'>, server: SqlServer, parts: QueryParts) {
    this.#statement = statement
    this.#store = store
    this.#server = server
    this.#parts = parts
  }

  describe(values: readonly QueryValue[]): string {
    const bound = this.#bound(values).map((value, index) => `${index + 1}: ${JSON.stringify(value)}`)
    const { text } = this.#statement
    return bound.length === 0 ? text : `${text}\n${bound.join(', ')}`
  }

  async run(values: readonly QueryValue[], signal: AbortSignal): Promise<readonly Row[]> {
    const bound = this.#bound(values)
    if (bound.some(isNoText) || (!this.#parts.caseSensitive && bound.some(looksLikeAnotherLowered))) return []
    const answer = await this.#server.ask(this.#question(bound), signal)
    return rowsOf(answer, this.#parts.attributes, this.#store.attributes)
  }

  async tryOut(): Promise<void> {
    const question = this.#question(this.#statement.parameters.map(() => null))
    await forPeople(question, async () => {
      const { columns } = await this.#server.ask(question, AbortSignal.timeout(probeMilliseconds))
      if (columns.length > 0) for (const name of this.#parts.attributes) columnOf(name, columns)
    })
  }

  // The server's limit is the later one: it counts when nobody is there any more who could end the statement.
  #question(values: Question['values']): Question {
    const { atMost, timeout } = this.#parts
    return { text: this.#statement.text, values, atMost, milliseconds: timeout * 1000 + 500 }
  }

  #bound(values: readonly QueryValue[]): readonly string[] {
    return this.#statement.parameters.map(parameter => parameter(values))
  }
}

// Half a character would become U+FFFD on its way, and PostgreSQL has no NUL: no column has such a text.
function isNoText(value: string): boolean {
  return value.includes('\0') || /\p{Surrogate}/u.test(value)
}

async function forPeople({ text }: Question, ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask()
  } catch (error) {
    const cause = error instanceof Outage && error.cause instanceof Error ? error.cause : error
    throw new Error(`${(cause as Error).message}, when asked: ${text}`)
  }
}
