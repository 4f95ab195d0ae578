import { isJsonObject, type JsonObject, type JsonValue } from '../../json.ts'
import { SaidCause } from '../../oauth/errors.ts'
import type { Row } from '../data-store.ts'
import { UnfitAnswer } from '../unfit-answer.ts'
import { type Answer, Digits, Parsed, type SqlValue } from './server.ts'

type Attributes = Readonly<Record<string, JsonObject>>

/** The rows of an answer as JSON, each column as the attribute of its name is declared. Throws an `UnfitAnswer` where that would lose something. */
export function rowsOf({ columns, rows }: Answer, asked: readonly string[], attributes: Attributes): readonly Row[] {
  if (rows.length === 0) return []
  const places = asked.map(name => ({ name, at: columnOf(name, columns), schema: attributes[name] ?? {} }))
  return rows.map(row => Object.fromEntries(places.map(({ name, at, schema }) => [name, asJson(row[at] ?? null, schema, name)])))
}

/** Where the column of an attribute is. PostgreSQL knows `SELECT number AS employeeNumber` as `employeenumber`. */
export function columnOf(name: string, columns: readonly string[]): number {
  const exactly = columns.filter(column => column === name)
  const folded = columns.filter(column => column.toLowerCase() === name.toLowerCase())
  const [only, another] = exactly.length > 0 ? exactly : folded
  if (only === undefined) throw unusable(`the query has no column ${JSON.stringify(name)}`)
  if (another !== undefined) throw unusable(`the query has two columns ${JSON.stringify(name)}`)
  return columns.indexOf(only)
}

function asJson(value: SqlValue, schema: JsonObject, name: string): JsonValue {
  const may = (type: string) => schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type))
  if (value instanceof Parsed) return jsonIn(value.text, name)
  if (Array.isArray(value)) return value.map(item => asJson(item, isJsonObject(schema.items) ? schema.items : {}, name))
  if (value instanceof Digits) return may('string') && !mayBeNumber(may) ? value.text : exactly(value.text, may('string'), name)
  // MySQL has no booleans and no JSON of its own, and MariaDB keeps JSON as text.
  if ((value === 0 || value === 1) && may('boolean') && !mayBeNumber(may)) return value === 1
  if (typeof value === 'number' && may('string') && !mayBeNumber(may)) return String(value)
  if (typeof value === 'string' && !may('string') && (may('object') || may('array'))) return jsonIn(value, name)
  return value as JsonValue
}

function mayBeNumber(may: (type: string) => boolean): boolean {
  return may('number') || may('integer')
}

function exactly(text: string, mayBeText: boolean, name: string): JsonValue {
  const number = Number(text)
  if (/^-?\d+$/.test(text) ? Number.isSafeInteger(number) : /^-?[\d.]+$/.test(text) && significant(text) <= 15) return number
  if (mayBeText) return text
  throw unusable(`${name} has more digits than a number keeps; declare it as a string`)
}

function significant(text: string): number {
  return text.replace(/[-.]/g, '').replace(/^0+/, '').length
}

function jsonIn(text: string, name: string): JsonValue {
  try {
    return JSON.parse(text)
  } catch {
    throw unusable(`${name} is no JSON`)
  }
}

// It has answered: whoever has an odd entry must not make it look as if it were down.
function unusable(why: string): UnfitAnswer {
  return new UnfitAnswer('the answer of the database cannot be used', new SaidCause(why))
}
