import type { Ajv2020 } from 'ajv/dist/2020.js'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { patternProblem } from './linear-time-regexp.ts'
import type { Path } from './problems.ts'
import { didYouMean } from './suggest.ts'

/** What is wrong with a JSON Schema, and where in it. */
interface Mistake {
  readonly path: Path
  readonly message: string
}

/** Finds the mistake in a JSON Schema that an administrator wrote: ajv alone says neither where it is nor what was meant. */
export function mistakeInSchema(ajv: Ajv2020, schema: JsonObject): Mistake | undefined {
  for (const [path, part] of subschemas(schema, [])) {
    const mistake = mistakeInPart(ajv, part, schema)
    if (mistake !== undefined) return { path: [...path, ...mistake.path], message: mistake.message }
  }
  return ajv.validateSchema(schema) === true ? undefined : mistakeByMetaSchema(ajv)
}

const types = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']

function mistakeInPart(ajv: Ajv2020, part: JsonObject, root: JsonObject): Mistake | undefined {
  for (const [keyword, value] of Object.entries(part)) {
    const message = !Object.hasOwn(ajv.RULES.keywords, keyword) ? unknownKeyword(keyword) : mistakenValue(ajv, keyword, value, root)
    if (message !== undefined) return { path: [keyword], message }
  }
  const pattern = Object.keys(isJsonObject(part.patternProperties) ? part.patternProperties : {}).find(key => patternProblem(key))
  return pattern === undefined ? undefined : { path: ['patternProperties', pattern], message: patternProblem(pattern) ?? '' }
}

const commonKeywords = [
  ...['type', 'enum', 'const', 'format', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'multipleOf'],
  ...['items', 'prefixItems', 'contains', 'minItems', 'maxItems', 'uniqueItems', 'description', 'title', 'default', 'examples'],
  ...['properties', 'patternProperties', 'additionalProperties', 'required', 'minProperties', 'maxProperties', 'propertyNames'],
  ...[
    'allOf',
    'anyOf',
    'oneOf',
    'not',
    'if',
    'then',
    'else',
    '$ref',
    '$defs',
    '$schema',
    '$comment',
    'exclusiveMinimum',
    'exclusiveMaximum',
  ],
]

function unknownKeyword(keyword: string): string {
  if (keyword === 'log') return '"log" stands only directly in an attribute of a policy\'s contract'
  return `JSON Schema has no keyword "${keyword}"${didYouMean(keyword, commonKeywords)}`
}

function mistakenValue(ajv: Ajv2020, keyword: string, value: JsonValue | undefined, root: JsonObject): string | undefined {
  if (keyword === 'type') return mistakenType(value)
  if (typeof value !== 'string') return undefined
  if (keyword === 'pattern') return patternProblem(value)
  if (keyword === 'format' && !Object.hasOwn(ajv.formats, value))
    return `there is no format "${value}"${didYouMean(value, Object.keys(ajv.formats))}`
  if (keyword === '$ref' && !isWithin(root, value)) return 'names nothing within this schema'
  if (keyword === '$schema' && !/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(value))
    return 'expected "https://json-schema.org/draft/2020-12/schema", or nothing'
  return undefined
}

function mistakenType(value: JsonValue | undefined): string | undefined {
  const known = `expected one of ${types.map(type => `"${type}"`).join(', ')}`
  const named = Array.isArray(value) ? value : [value]
  if (named.length === 0) return 'must have at least one entry'
  const wrong = named.find(type => typeof type !== 'string' || !types.includes(type))
  if (wrong === undefined) return undefined
  return typeof wrong === 'string' ? `there is no type "${wrong}"${didYouMean(wrong, types) || `; ${known}`}` : known
}

// References into other documents would be fetched, and by whom?
function isWithin(root: JsonObject, reference: string): boolean {
  if (!reference.startsWith('#')) return false
  const steps = reference.slice(1).split('/').slice(1)
  let current: JsonValue | undefined = root
  for (const step of steps) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    current = (typeof current === 'object' && current !== null ? (current as JsonObject)[name] : undefined) as JsonValue | undefined
  }
  return current !== undefined
}

// What is left is a keyword with a value of the wrong shape: the deepest complaint says most.
function mistakeByMetaSchema({ errors }: Ajv2020): Mistake {
  const [error] = [...(errors ?? [])].sort((left, right) => right.instancePath.length - left.instancePath.length)
  const path = (error?.instancePath ?? '').split('/').slice(1)
  const words = (error?.message ?? 'cannot be used')
    .replace(/^must be object,boolean$/, 'must be a JSON Schema: { … }')
    .replace(/^must be array$/, 'must be a list')
  return { path: path.map(step => step.replaceAll('~1', '/').replaceAll('~0', '~')), message: words.replace(/ \(items ##.*$/, '') }
}

const single = ['items', 'additionalProperties', 'propertyNames', 'contains', 'not', 'if', 'then', 'else']
const lists = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
const maps = ['properties', 'patternProperties', '$defs', 'dependentSchemas']

/** The schema and all schemas within it. */
function* subschemas(schema: JsonValue | undefined, path: Path): Generator<[Path, JsonObject]> {
  if (!isJsonObject(schema)) return
  yield [path, schema]
  for (const keyword of single) yield* subschemas(schema[keyword], [...path, keyword])
  for (const keyword of [...lists, ...maps]) {
    const inner = schema[keyword]
    if (Array.isArray(inner)) for (const [index, part] of inner.entries()) yield* subschemas(part, [...path, keyword, index])
    else if (isJsonObject(inner) && maps.includes(keyword))
      for (const [name, part] of Object.entries(inner)) yield* subschemas(part, [...path, keyword, name])
  }
}
