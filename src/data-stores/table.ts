import { z } from 'zod'
import { didYouMean } from '../config/suggest.ts'
import { distinct, ExternalText, type TemplateSource, template } from '../config/values.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { Parts } from '../plugin.ts'
import { isSlot, type LookupParts, type PreparedQuery, type QueryValue, type Row, type StoreClient, type Template } from './data-store.ts'
import { lowered } from './letter-case.ts'
import { dataStoreKind, storeAttributes } from './store-kind.ts'
import { type PlacedRow, rowsOfCsv, rowsOfJson, typeOf } from './table-rows.ts'

const shape = {
  file: z
    .string()
    .regex(/\.(csv|json)$/, 'expected the path of a file that ends in ".csv" or ".json"')
    .meta({ description: 'A CSV file, or a JSON file with a list of objects; relative to the configuration folder' })
    .transform(name => new ExternalText('file', name)),
  attributes: storeAttributes,
  keys: distinct(z.string().min(1))
    .min(1)
    .meta({ description: 'The attributes by which rows are found; a lookup names at least one of them' }),
  caseSensitive: z.boolean().default(true).meta({ description: 'Whether "A" and "a" are two in what rows are found by' }),
  lists: z
    .string()
    .min(1)
    .default(';')
    .meta({ description: 'What stands between the items of a list in one cell of a CSV file (default ";")' }),
}
type Settings = z.output<z.ZodObject<typeof shape>>

const lookup = {
  where: z
    .record(z.string().min(1), template)
    .refine(where => Object.keys(where).length > 0, 'must have at least one entry')
    .meta({ description: 'What the attributes of the row must be: { "mail": "{subject.email}" }' }),
}

/** A JSON or CSV file in the configuration folder: small lookups without a server. */
export const table = dataStoreKind(
  'table',
  shape,
  lookup,
  (settings, parts): StoreClient<{ where: Where }> => {
    for (const [index, key] of settings.keys.entries()) {
      if (!Object.hasOwn(settings.attributes, key))
        parts.problem(['keys', index], `"attributes" has no "${key}"${didYouMean(key, Object.keys(settings.attributes))}`)
    }
    const rows = new TableRows(settings, soundRows(settings, parts))
    return { attributes: settings.attributes, prepare: ({ where }, lookupParts) => prepare(where, settings, rows, lookupParts) }
  },
  { remote: false },
)

type Where = Readonly<Record<string, TemplateSource>>

/** Every row is judged while the configuration is loaded, so that no exchange meets a bad one. */
function soundRows({ file, attributes, lists }: Settings, parts: Parts): readonly Row[] {
  const report = (position: { line: number; column: number }, message: string) => parts.problemAt(file, position, message)
  const source = parts.text(file)
  const placed = file.name.endsWith('.csv') ? rowsOfCsv(source, attributes, lists, report) : rowsOfJson(source, attributes, report)
  const judges = Object.entries(attributes).map(([name, schema]) => ({ name, schema: parts.jsonSchema(schema, ['attributes', name]) }))
  for (const { row, placeOf } of placed) {
    for (const { name, schema } of judges) {
      const value = row[name] ?? undefined
      const problem = value === undefined ? missing(name, attributes[name] ?? {}) : schema.problem(value, name)
      if (problem !== undefined) report(placeOf(name), problem)
    }
  }
  return placed.map(({ row }: PlacedRow) => row)
}

function missing(name: string, { type }: JsonObject): string | undefined {
  if (Array.isArray(type) && type.includes('null')) return undefined
  return `${name} is missing; where it may be, its type in the data store says so: ["${typeof type === 'string' ? type : 'string'}", "null"]`
}

/** The rows, found by each of the keys without going through them. */
class TableRows {
  readonly #all: readonly Row[]
  readonly #byKey: ReadonlyMap<string, ReadonlyMap<string, readonly Row[]>>
  readonly #caseSensitive: boolean

  constructor({ keys, caseSensitive }: Pick<Settings, 'keys' | 'caseSensitive'>, rows: readonly Row[]) {
    this.#all = rows
    this.#caseSensitive = caseSensitive
    this.#byKey = new Map(keys.map(key => [key, this.#index(key)]))
  }

  find(wanted: ReadonlyMap<string, QueryValue>): readonly Row[] {
    const [key] = [...wanted.keys()].filter(name => this.#byKey.has(name))
    const near = key === undefined ? this.#all : (this.#byKey.get(key)?.get(this.#normal(wanted.get(key))) ?? [])
    return near.filter(row => [...wanted].every(([name, value]) => this.#normal(row[name]) === this.#normal(value)))
  }

  #index(key: string): ReadonlyMap<string, readonly Row[]> {
    const index = new Map<string, Row[]>()
    for (const row of this.#all) {
      if (row[key] === undefined || row[key] === null) continue
      const value = this.#normal(row[key])
      const same = index.get(value)
      if (same === undefined) index.set(value, [row])
      else same.push(row)
    }
    return index
  }

  // As JSON, so that the number 1 and the text "1" are two.
  #normal(value: JsonValue | undefined): string {
    const text = JSON.stringify(value ?? null)
    return this.#caseSensitive ? text : lowered(text)
  }
}

function prepare(where: Where, { attributes, keys }: Settings, rows: TableRows, parts: LookupParts): PreparedQuery {
  for (const name of Object.keys(where)) {
    if (!Object.hasOwn(attributes, name))
      parts.problem(['where', name], `the data store has no attribute "${name}"${didYouMean(name, Object.keys(attributes))}`)
  }
  if (!Object.keys(where).some(name => keys.includes(name)))
    parts.problem(['where'], `names none of the "keys" of the data store: ${keys.join(', ')}`)
  const conditions = Object.entries(where).map(([name, source]) => {
    const schema = attributes[name] ?? {}
    const compiled = parts.template(source, ['where', name], /^\{(?!\{)/.test(source.source) ? { type: [typeOf(schema)] } : undefined)
    return { name, value: (values: readonly QueryValue[]) => filled(compiled, values) }
  })
  const wanted = (values: readonly QueryValue[]) => new Map(conditions.map(({ name, value }) => [name, value(values)]))
  return {
    describe: values => [...wanted(values)].map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(' and '),
    run: async values => rows.find(wanted(values)).slice(0, parts.atMost),
  }
}

/** A template that is one expression has the value as it is, whatever its type; every other one is a text. */
function filled({ pieces }: Template, values: readonly QueryValue[]): QueryValue {
  const [only, ...others] = pieces
  if (only !== undefined && others.length === 0 && isSlot(only)) return values[only.value] ?? ''
  return pieces.map(piece => (isSlot(piece) ? String(values[piece.value]) : piece.text)).join('')
}
