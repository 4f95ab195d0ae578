import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Parts } from '../plugin.ts'
import type { Contract } from './processor-policy.ts'

/** A JSON Schema that an administrator writes. */
export const jsonSchema = z.record(z.string(), z.json()).meta({ description: 'A JSON Schema (draft 2020-12)' })

/** The attributes that are promised, each with its JSON Schema. */
export const contractSettings = z
  .record(z.string().min(1), jsonSchema)
  .meta({ description: 'The attributes, each with its JSON Schema', required: ['sub'] })

type Attributes = Readonly<Record<string, JsonObject>>

/** Compiles a contract. An attribute whose type allows null may be left out, every other one must be there. */
export function buildContract(attributes: Attributes, parts: Parts, path: Path): Contract {
  // One by one: most attributes of a configuration have one of a few schemas, which are then compiled once.
  const compiled = Object.entries(attributes).map(([name, schema]) => {
    return { name, required: !allowsNull(schema), schema: parts.jsonSchema(schema, [...path, name]) }
  })
  return {
    attributes,
    loggable: [],
    problem(values) {
      for (const { name, required, schema } of compiled) {
        const value = Object.hasOwn(values, name) ? values[name] : undefined
        const problem = value === undefined ? (required ? `${name} is missing` : undefined) : schema.problem(value, name)
        if (problem !== undefined) return { attribute: name, message: problem }
      }
      return undefined
    },
  }
}

/** The same for a contract whose attributes may say `"log": true`, which lets the audit record show their values. */
export function buildLoggedContract(settings: Attributes, parts: Parts, path: Path): Contract {
  const attributes: Record<string, JsonObject> = {}
  const loggable: string[] = []
  for (const [name, { log = false, ...schema }] of Object.entries(settings)) {
    if (typeof log !== 'boolean') parts.problem([...path, name, 'log'], 'expected true or false')
    if (log === true) loggable.push(name)
    attributes[name] = schema
  }
  return { ...buildContract(attributes, parts, path), loggable }
}

/** The JSON Schema of fulfilled attributes as a whole: what expressions read as `policy`. */
export function contractSchema(attributes: Attributes) {
  const required = Object.keys(attributes).filter(name => !allowsNull(attributes[name]))
  return { type: 'object', required, properties: attributes }
}

function allowsNull(schema: JsonObject | undefined): boolean {
  return isJsonObject(schema) && Array.isArray(schema.type) && schema.type.includes('null')
}
