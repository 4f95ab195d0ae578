import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { nearestName } from './suggest.ts'

/** A keyword that says nothing, or something that no value can meet. */
interface Contradiction {
  readonly keyword: string
  readonly message: string
}

/** Finds what is valid in a JSON Schema and cannot have been meant. `part` is one schema, without those in it. */
export function contradictionIn(part: JsonObject): Contradiction | undefined {
  return crossedBounds(part) ?? keywordOfAnotherType(part) ?? valueOfAnotherType(part) ?? misspeltRequired(part) ?? forbiddenRequired(part)
}

const bounds = [
  ['minLength', 'maxLength'],
  ['minimum', 'maximum'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
] as const

function crossedBounds(part: JsonObject): Contradiction | undefined {
  const crossed = bounds.find(([least, most]) => Number(part[least]) > Number(part[most]))
  return crossed && { keyword: crossed[0], message: `is more than "${crossed[1]}", so that no value fits` }
}

const keywordsOf: Readonly<Record<string, readonly string[]>> = {
  string: ['pattern', 'minLength', 'maxLength'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  array: ['items', 'prefixItems', 'contains', 'minContains', 'maxContains', 'unevaluatedItems', 'minItems', 'maxItems', 'uniqueItems'],
  object: ['properties', 'patternProperties', 'additionalProperties', 'propertyNames', 'required', 'minProperties', 'maxProperties'],
}

function keywordOfAnotherType(part: JsonObject): Contradiction | undefined {
  const types = typesOf(part)
  if (types === undefined) return undefined
  const [, [keyword] = []] =
    Object.entries(keywordsOf)
      .filter(([type]) => !types.includes(type))
      .map(([type, keywords]) => [type, keywords.filter(each => Object.hasOwn(part, each))] as const)
      .find(([, keywords]) => keywords.length > 0) ?? []
  return keyword === undefined
    ? undefined
    : { keyword, message: `says nothing about a value of type ${types.map(type => `"${type}"`).join(' or ')}` }
}

/** The types that the schema allows; an integer is a number. Undefined where it names none. */
function typesOf({ type }: JsonObject): readonly string[] | undefined {
  if (type === undefined) return undefined
  return [type].flat().map(each => (each === 'integer' ? 'number' : String(each)))
}

function valueOfAnotherType(part: JsonObject): Contradiction | undefined {
  const types = typesOf(part)
  const values = Array.isArray(part.enum) ? part.enum : Object.hasOwn(part, 'const') ? [part.const] : []
  if (types === undefined || values.every(value => types.includes(typeOf(value)))) return undefined
  return {
    keyword: Array.isArray(part.enum) ? 'enum' : 'const',
    message: `has a value that is not of type ${types.map(type => `"${type}"`).join(' or ')}`,
  }
}

function typeOf(value: JsonValue | undefined): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** A required member that the schema does not describe, while one of nearly the same name is described and not required. */
function misspeltRequired({ required, properties }: JsonObject): Contradiction | undefined {
  if (!Array.isArray(required) || !isJsonObject(properties)) return undefined
  const names = required.map(String)
  const optional = Object.keys(properties).filter(name => !names.includes(name))
  for (const name of names.filter(each => !Object.hasOwn(properties, each))) {
    const meant = nearestName(name, optional)
    if (meant !== undefined)
      return { keyword: 'required', message: `names "${name}", which "properties" does not have; did you mean "${meant}"?` }
  }
  return undefined
}

function forbiddenRequired({ required, properties }: JsonObject): Contradiction | undefined {
  if (!Array.isArray(required) || !isJsonObject(properties)) return undefined
  const forbidden = required.find(name => properties[String(name)] === false)
  return forbidden === undefined
    ? undefined
    : { keyword: 'required', message: `names "${forbidden}", which "properties" forbids by false: for any value at all, write {}` }
}
