import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Parts } from '../plugin.ts'
import type { Contract } from './processor-policy.ts'

/** A JSON Schema that an administrator writes. */
export const jsonSchema = z.record(z.string(), z.json()).meta({ description: 'A JSON Schema' })

/** The attributes that are promised, each with its JSON Schema; `"log": true` in one lets the audit record show its value. */
export const contractSettings = z
  .record(z.string().min(1), jsonSchema)
  .refine(contract => !Object.hasOwn(contract, '__proto__'), 'an attribute cannot have the name __proto__')
  .meta({ description: 'The attributes, each with its JSON Schema' })

/** Compiles a contract. An attribute whose type allows null may be left out, every other one must be there. */
export function buildContract(settings: z.output<typeof contractSettings>, parts: Parts, path: Path): Contract {
  const attributes = settings as Readonly<Record<string, JsonObject>>
  for (const [name, schema] of Object.entries(attributes)) parts.jsonSchema(schema, [...path, name])
  const schema = contractSchema(attributes)
  const compiled = parts.jsonSchema(schema, path)
  const loggable = Object.keys(attributes).filter(name => attributes[name]?.log === true)
  return { attributes, loggable, problem: values => compiled.problem(values) }
}

/** The JSON Schema of fulfilled attributes as a whole: what expressions read as `policy`. */
export function contractSchema(attributes: Readonly<Record<string, JsonObject>>) {
  const required = Object.keys(attributes).filter(name => !allowsNull(attributes[name]))
  return { type: 'object', required, properties: attributes }
}

function allowsNull(schema: JsonObject | undefined): boolean {
  return isJsonObject(schema) && Array.isArray(schema.type) && schema.type.includes('null')
}
