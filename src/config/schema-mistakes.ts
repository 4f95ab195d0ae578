import type { Ajv2020 } from 'ajv/dist/2020.js'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { patternProblem } from './linear-time-regexp.ts'
import type { Path } from './problems.ts'
import { contradictionIn } from './schema-contradictions.ts'
import { didYouMean } from './suggest.ts'

/** What is wrong with a JSON Schema, and where in it. */
interface Mistake {
  readonly path: Path
  readonly message: string
}

/** Finds the mistake in a JSON Schema that an administrator wrote: ajv alone says neither where it is nor what was meant. */
export function mistakeInSchema({ formats }: Pick<Ajv2020, 'formats'>, root: JsonObject): Mistake | undefined {
  for (const [path, part] of subschemas(root, [])) {
    for (const [keyword, value] of Object.entries(part)) {
      const message = mistakenShape(keyword, value) ?? mistakenValue(keyword, value, root, formats)
      if (message !== undefined) return { path: [...path, keyword], message }
    }
    const pattern = Object.keys((part.patternProperties as JsonObject | undefined) ?? {}).find(patternProblem)
    if (pattern !== undefined) return { path: [...path, 'patternProperties', pattern], message: patternProblem(pattern) ?? '' }
    const contradiction = contradictionIn(part)
    if (contradiction !== undefined) return { path: [...path, contradiction.keyword], message: contradiction.message }
  }
  return undefined
}

type Shape = readonly [fits: (value: JsonValue | undefined) => boolean, words: string]

const isSchema = (value: JsonValue | undefined) => isJsonObject(value) || typeof value === 'boolean'
const isText = (value: JsonValue | undefined) => typeof value === 'string'
const isNames = (value: JsonValue | undefined) => Array.isArray(value) && value.every(isText) && new Set(value).size === value.length

const text: Shape = [isText, 'a string']
const truth: Shape = [value => typeof value === 'boolean', 'true or false']
const number: Shape = [value => typeof value === 'number', 'a number']
const count: Shape = [value => Number.isSafeInteger(value) && Number(value) >= 0, 'a whole number that is not negative']
const anything: Shape = [() => true, '']
const list: Shape = [Array.isArray, 'a list']
const names: Shape = [isNames, 'a list of names, each once']
const schema: Shape = [isSchema, 'a JSON Schema: { … }']
const schemas: Shape = [value => Array.isArray(value) && value.length > 0 && value.every(isSchema), 'a list of JSON Schemas']
const schemasByName: Shape = [value => isJsonObject(value) && Object.values(value).every(isSchema), 'an object of JSON Schemas']
const namesByName: Shape = [value => isJsonObject(value) && Object.values(value).every(isNames), 'an object of lists of names']

/** The keywords of draft 2020-12 that have a meaning here, with what their values look like. */
const keywords: Readonly<Record<string, Shape>> = {
  ...{ $schema: text, $ref: text, $comment: text, $defs: schemasByName, title: text, description: text, default: anything, examples: list },
  ...{ deprecated: truth, readOnly: truth, writeOnly: truth },
  ...{ type: anything, enum: [value => Array.isArray(value) && value.length > 0, 'a list with at least one entry'], const: anything },
  ...{ format: text, pattern: text, minLength: count, maxLength: count },
  ...{ minimum: number, maximum: number, exclusiveMinimum: number, exclusiveMaximum: number },
  multipleOf: [value => typeof value === 'number' && value > 0, 'a number above 0'],
  ...{ items: schema, prefixItems: schemas, contains: schema, minContains: count, maxContains: count, unevaluatedItems: schema },
  ...{ minItems: count, maxItems: count, uniqueItems: truth },
  ...{ properties: schemasByName, patternProperties: schemasByName, additionalProperties: schema, unevaluatedProperties: schema },
  ...{ propertyNames: schema, required: names, minProperties: count, maxProperties: count },
  ...{ dependentRequired: namesByName, dependentSchemas: schemasByName },
  ...{ allOf: schemas, anyOf: schemas, oneOf: schemas, not: schema, if: schema, ['then' as string]: schema, else: schema },
}

function mistakenShape(keyword: string, value: JsonValue | undefined): string | undefined {
  if (!Object.hasOwn(keywords, keyword)) {
    if (keyword === 'log') return '"log" stands only directly in an attribute of a policy\'s contract'
    return `JSON Schema has no keyword "${keyword}"${didYouMean(keyword, Object.keys(keywords))}`
  }
  const [fits, words] = keywords[keyword] ?? anything
  return fits(value) ? undefined : `expected ${words}`
}

function mistakenValue(keyword: string, value: JsonValue | undefined, root: JsonObject, formats: Ajv2020['formats']): string | undefined {
  if (keyword === 'type') return mistakenType(value)
  if (typeof value !== 'string') return undefined
  if (keyword === 'pattern') return patternProblem(value)
  if (keyword === 'format' && !Object.hasOwn(formats, value))
    return `there is no format "${value}"${didYouMean(value, Object.keys(formats))}`
  if (keyword === '$ref' && !isWithin(root, value)) return 'names nothing within this schema'
  if (keyword === '$schema' && value !== 'https://json-schema.org/draft/2020-12/schema')
    return 'expected "https://json-schema.org/draft/2020-12/schema", or nothing'
  return undefined
}

const types = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']

function mistakenType(value: JsonValue | undefined): string | undefined {
  const known = `expected one of ${types.map(type => `"${type}"`).join(', ')}`
  const named: readonly (JsonValue | undefined)[] = Array.isArray(value) ? value : [value]
  if (named.length === 0) return 'must have at least one entry'
  const wrong = named.find(type => typeof type !== 'string' || !types.includes(type))
  if (wrong === undefined && named.every(isText)) return undefined
  return typeof wrong === 'string' ? `there is no type "${wrong}"${didYouMean(wrong, types) || `; ${known}`}` : known
}

// References into other documents would be fetched, and by whom?
function isWithin(root: JsonObject, reference: string): boolean {
  if (reference !== '#' && !reference.startsWith('#/')) return false
  let current: JsonValue | undefined = root
  for (const step of reference.slice(1).split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    const object = current as JsonObject | null | undefined
    current = typeof object === 'object' && object !== null && Object.hasOwn(object, name) ? object[name] : undefined
  }
  return current !== undefined
}

/** The schema and all schemas within it, each after the one that it stands in. */
function* subschemas(value: JsonValue | undefined, path: Path): Generator<[Path, JsonObject]> {
  if (!isJsonObject(value)) return
  yield [path, value]
  for (const [keyword, inner] of Object.entries(value)) {
    const shape = keywords[keyword]
    if (shape === schema) yield* subschemas(inner, [...path, keyword])
    else if (shape === schemas || shape === schemasByName)
      for (const [name, part] of Object.entries(inner as object))
        yield* subschemas(part, [...path, keyword, shape === schemas ? Number(name) : name])
  }
}
