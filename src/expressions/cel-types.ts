import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'

/** A type as CEL declares it: a name such as `list<string>`, or the fields of an object. */
export type CelType = string | { readonly [field: string]: CelType }

/** The CEL type of a value that meets the JSON Schema. What the schema leaves open is dynamic. */
export function celTypeOf(schema: JsonValue | undefined): CelType {
  if (!isJsonObject(schema)) return 'dyn'
  switch (schema.type) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    // A number of JSON is a double in CEL, also where it has no fraction.
    case 'number':
    case 'integer':
      return 'double'
    case 'array':
      return `list<${nameOf(celTypeOf(schema.items))}>`
    case 'object':
      return objectType(schema)
    default:
      return 'dyn'
  }
}

function objectType(schema: JsonObject): CelType {
  const properties = isJsonObject(schema.properties) ? Object.entries(schema.properties) : []
  if (properties.length === 0) return 'map<string, dyn>'
  return Object.fromEntries(properties.map(([name, property]) => [name, celTypeOf(property)]))
}

// Objects with fields can be declared as variables and their members only; inside of lists they are maps.
function nameOf(type: CelType): string {
  return typeof type === 'string' ? type : 'map<string, dyn>'
}

/** Whether a value of this CEL type can meet the JSON Schema; a dynamic one may, and is validated when it is there. */
export function canMeet(celType: string, schema: JsonValue | undefined): boolean {
  if (celType === 'dyn' || /^[A-Z]$/.test(celType)) return true
  const jsonType = jsonTypeOf(celType)
  if (jsonType === undefined) return false
  if (!isJsonObject(schema) || schema.type === undefined) return true
  const wanted = Array.isArray(schema.type) ? schema.type : [schema.type]
  if (jsonType === 'number') return wanted.includes('number') || wanted.includes('integer')
  if (jsonType === 'array') return wanted.includes('array') && canMeet(itemTypeOf(celType), schema.items)
  return wanted.includes(jsonType)
}

// A list that comes out of something dynamic is just `list`.
function itemTypeOf(celType: string): string {
  return celType.startsWith('list<') ? celType.slice('list<'.length, -1) : 'dyn'
}

// Timestamps, durations, bytes and types are no JSON values: an expression may compute with them, but not result in them.
function jsonTypeOf(celType: string): string | undefined {
  if (/^list(<|$)/.test(celType)) return 'array'
  if (/^map(<|$)|^\$/.test(celType)) return 'object'
  const simple: Record<string, string> = {
    string: 'string',
    bool: 'boolean',
    int: 'number',
    uint: 'number',
    double: 'number',
    null: 'null',
  }
  return simple[celType]
}

/** The result of an expression as JSON; undefined where JSON has no such value. */
export function jsonFromCel(value: unknown): JsonValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : undefined
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : undefined
    case 'object':
      return value === null ? null : jsonFromAggregate(value)
    default:
      return undefined
  }
}

function jsonFromAggregate(value: object): JsonValue | undefined {
  if (Array.isArray(value)) {
    const items = value.map(jsonFromCel)
    return items.includes(undefined) ? undefined : (items as JsonValue[])
  }
  const entries = value instanceof Map ? [...value] : isPlainObject(value) ? Object.entries(value) : undefined
  if (entries === undefined) return undefined
  const converted = entries.map(([name, member]) => [name, jsonFromCel(member)] as const)
  if (converted.some(([name, member]) => typeof name !== 'string' || member === undefined)) return undefined
  return Object.fromEntries(converted)
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
