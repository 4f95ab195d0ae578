import type { QueryValue, Template } from '../data-store.ts'
import { isSlot } from '../data-store.ts'
import type { Dialect } from './dialect.ts'
import type { Statement } from './statement.ts'

/** The form of a lookup for those who write no SQL. */
export interface TableForm {
  /** The names that lead to the table: the table alone, or its schema and the table. */
  readonly table: readonly string[]
  /** Which column each attribute is read from. */
  readonly columns: ReadonlyMap<string, string>
  /** What columns must be. */
  readonly where: ReadonlyArray<{ readonly column: string; readonly value: Template }>
  readonly caseSensitive: boolean
  readonly atMost: number
}

/** Writes the statement for a lookup in a table. Names are quoted, so that none of them is taken for SQL. */
export function tableStatement({ table, columns, where, caseSensitive, atMost }: TableForm, dialect: Dialect): Statement {
  const parameters: Statement['parameters'][number][] = []
  const bind = (value: Template) => () => dialect.parameter(parameters.push(values => textOf(value, values)))
  const selected = [...columns].map(([attribute, column]) => `${dialect.quoted(column)} AS ${dialect.quoted(attribute)}`)
  const conditions = where.map(({ column, value }) => dialect.equals(dialect.quoted(column), caseSensitive, bind(value)))
  const from = table.map(name => dialect.quoted(name)).join('.')
  return { text: `SELECT ${selected.join(', ')} FROM ${from} WHERE ${conditions.join(' AND ')} LIMIT ${atMost}`, parameters }
}

function textOf({ pieces }: Template, values: readonly QueryValue[]): string {
  return pieces.map(piece => (isSlot(piece) ? String(values[piece.value]) : piece.text)).join('')
}
