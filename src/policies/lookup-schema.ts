import type { JsonObject } from '../json.ts'
import type { Lookup } from './lookup.ts'

type Attributes = Readonly<Record<string, JsonObject>>

/** What expressions read as `lookup.<name>`: an object with the attributes, or a list of such objects. */
export function lookupSchema(
  attributes: Attributes,
  { many, ifMissing, ifDown }: Pick<Lookup, 'many' | 'ifMissing' | 'ifDown'>,
): JsonObject {
  const mayBeEmpty = many !== 'list' && (ifMissing === 'empty' || ifDown === 'empty')
  const required = mayBeEmpty ? [] : Object.keys(attributes).filter(name => !mayBeAbsent(attributes[name]))
  const properties = Object.fromEntries(Object.entries(attributes).map(([name, schema]) => [name, withoutNull(schema)]))
  const entry = { type: 'object', required, properties }
  return many === 'list' ? { type: 'array', items: entry } : entry
}

/** Whether an attribute of a data store may be absent: its type allows null. */
export function mayBeAbsent(schema: JsonObject | undefined): boolean {
  return Array.isArray(schema?.type) && schema.type.includes('null')
}

// What is null is left out, so that an expression which finds it has a value of the other type.
function withoutNull(schema: JsonObject): JsonObject {
  if (!Array.isArray(schema.type)) return schema
  const types = schema.type.filter(type => type !== 'null')
  return { ...schema, type: types.length === 1 ? (types[0] as string) : types }
}
