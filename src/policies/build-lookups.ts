import type { Path } from '../config/problems.ts'
import { didYouMean } from '../config/suggest.ts'
import { ExpressionSource, type TemplateSource } from '../config/values.ts'
import { problemsOf } from '../config/zod-problems.ts'
import type { DataStore, LookupParts, PreparedQuery, Slot, Template } from '../data-stores/data-store.ts'
import { fittingRows } from '../data-stores/fitting-rows.ts'
import { storeAnswers } from '../data-stores/store-answers.ts'
import { readTemplate, TemplateMistake } from '../data-stores/template.ts'
import type { Declarations } from '../expressions/compile.ts'
import type { Expression } from '../expressions/expression.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { ifBuilt, type Parts } from '../plugin.ts'
import { type Lookup, longestList } from './lookup.ts'
import { lookupSchema } from './lookup-schema.ts'
import { everyLookup, type LookupSettings } from './lookup-settings.ts'

/** The lookups of one mapping, and what its expressions may read with them. */
export interface BuiltLookups {
  /** Undefined where one of them has problems. */
  readonly lookups: readonly Lookup[] | undefined
  readonly declared: Declarations
}

/** Builds the lookups of a mapping, in order. Each may read what `declared` has and the lookups before it. */
export function buildLookups(
  settings: Readonly<Record<string, LookupSettings>>,
  declared: Declarations,
  parts: Parts,
  path: Path,
): BuiltLookups {
  const lookups: Array<Lookup | undefined> = []
  const schemas: Record<string, JsonObject> = {}
  let readable = declared
  for (const [name, lookup] of Object.entries(settings)) {
    const store = ifBuilt(() => parts.dataStore(lookup.dataStore))
    const attributes = store && askedAttributes(lookup, store, parts, [...path, name])
    lookups.push(store && attributes && new LookupBuilder(name, lookup, store, readable, parts, [...path, name]).build(attributes))
    schemas[name] = attributes === undefined ? {} : lookupSchema(attributes, lookup)
    readable = { ...declared, lookup: { type: 'object', required: Object.keys(schemas), properties: { ...schemas } } }
  }
  return { lookups: lookups.every(lookup => lookup !== undefined) ? lookups : undefined, declared: readable }
}

/** Those of the store's attributes that are asked for. */
function askedAttributes(lookup: LookupSettings, store: DataStore, parts: Parts, path: Path): Record<string, JsonObject> | undefined {
  const known = Object.keys(store.attributes)
  const unknown = lookup.attributes.filter(attribute => !Object.hasOwn(store.attributes, attribute))
  for (const attribute of unknown) {
    const message = `the data store "${store.id}" has no attribute "${attribute}"${didYouMean(attribute, known)}`
    parts.problem([...path, 'attributes', lookup.attributes.indexOf(attribute)], message)
  }
  if (unknown.length > 0) return undefined
  return Object.fromEntries(lookup.attributes.map(attribute => [attribute, store.attributes[attribute] as JsonObject]))
}

// One more than may be, where more are refused.
const atMost = { first: 1, refuse: 2, list: longestList + 1 }

const oneValue: JsonObject = { type: ['string', 'number', 'boolean'] }

class LookupBuilder {
  readonly #name: string
  readonly #settings: LookupSettings
  readonly #store: DataStore
  readonly #declared: Declarations
  readonly #parts: Parts
  readonly #path: Path
  readonly #values: Expression[] = []
  #sound = true

  constructor(name: string, settings: LookupSettings, store: DataStore, declared: Declarations, parts: Parts, path: Path) {
    this.#name = name
    this.#settings = settings
    this.#store = store
    this.#declared = declared
    this.#parts = parts
    this.#path = path
  }

  build(attributes: Readonly<Record<string, JsonObject>>): Lookup | undefined {
    const own = this.#ownMembers()
    const parsed = this.#store.lookup.safeParse(own)
    if (!parsed.success) {
      for (const { path, message } of problemsOf(parsed.error, own as JsonValue)) this.#problem(path, message)
      return undefined
    }
    const query = this.#store.client.prepare(parsed.data, this.#lookupParts(Object.keys(attributes)))
    return this.#sound ? this.#lookup(attributes, query, own) : undefined
  }

  /** The members that belong to the type of the store. */
  #ownMembers(): JsonObject {
    return Object.fromEntries(Object.entries(this.#settings).filter(([name]) => !Object.hasOwn(everyLookup, name))) as JsonObject
  }

  #lookup(attributes: Readonly<Record<string, JsonObject>>, query: PreparedQuery, own: JsonObject): Lookup {
    const { many, ifMissing, ifDown, timeout, cache } = this.#settings
    const schemas = Object.entries(attributes).map(([name, schema]) => {
      return { name, schema: this.#parts.jsonSchema(schema, [...this.#path, 'attributes']) }
    })
    const setting = this.#parts.settingAt(this.#path)
    if (ifDown === 'empty') {
      const message = 'while the data store is down, exchanges go on without these attributes'
      this.#parts.warn('goes-on-without-data-store', [...this.#path, 'ifDown'], message)
    }
    const fitting = fittingRows(this.#store.id, schemas, setting)
    const limits = { timeout, cache, fitting }
    return {
      ...{ name: this.#name, store: { id: this.#store.id, type: this.#store.type }, setting },
      ...{ values: this.#values, many, ifMissing, ifDown },
      attributes: Object.keys(attributes),
      fitting,
      describe: values => query.describe(values),
      ask: storeAnswers(this.#store, query, [own, Object.keys(attributes), many, this.#values.length], limits, this.#parts),
    }
  }

  #lookupParts(attributes: readonly string[]): LookupParts {
    return {
      attributes,
      atMost: atMost[this.#settings.many],
      timeout: this.#settings.timeout,
      template: (source, path, expected) => this.#template(source, path, expected),
      problem: (path, message, offset) => this.#problem(path, message, offset),
      warn: (code, path, message) => this.#parts.warn(code, [...this.#path, ...path], message),
    }
  }

  #problem(path: Path, message: string, offset?: number): void {
    this.#sound = false
    this.#parts.problem([...this.#path, ...path], message, offset)
  }

  #template({ source }: TemplateSource, path: Path, expected: JsonObject = oneValue): Template {
    try {
      const pieces = readTemplate(source).map(piece =>
        'text' in piece ? piece : this.#slot(piece.expression, piece.offset, path, expected),
      )
      return { source, pieces }
    } catch (error) {
      if (!(error instanceof TemplateMistake)) throw error
      this.#problem(path, error.message, error.offset)
      return { source, pieces: [] }
    }
  }

  #slot(source: string, offset: number, path: Path, expected: JsonObject): Slot {
    const text = new ExpressionSource(source, offset)
    const compiled = this.#parts.expression(text, [...this.#path, ...path], this.#declared, orNull(expected))
    // The number has to be its own all the same, for a store that goes on checking.
    if (compiled === undefined) this.#sound = false
    return { value: compiled === undefined ? this.#values.length : this.#values.push(compiled) - 1, source, offset: offset - 1 }
  }
}

// A query with null in it is not asked, and finds nothing.
function orNull(schema: JsonObject): JsonObject {
  const types = [schema.type ?? []].flat() as string[]
  return types.length === 0 ? schema : { ...schema, type: [...types, 'null'] }
}
