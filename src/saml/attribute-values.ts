import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { unacceptable } from './facts.ts'
import { namespaces } from './names.ts'
import type { XmlElement } from './xml-element.ts'

/** The values of one attribute as they stand in the assertion; null is a value that says so (`xsi:nil`). */
export type AttributeValues = ReadonlyArray<string | null>

const nilAttribute = `{${namespaces.schemaInstance}}nil`

// SAML Core §2.7.3.1.1. What `xsi:type` says is not looked at: the prefix in it may be no part of what is signed.
function valuesOf(values: readonly XmlElement[]): AttributeValues {
  return values.map(value => {
    if (value.children.length > 0) throw unacceptable('an attribute has XML as its value')
    const nil = value.attributes.get(nilAttribute)
    if (nil !== 'true' && nil !== '1') return value.text
    if (value.text !== '') throw unacceptable('an attribute value is nil and is not empty')
    return null
  })
}

/**
 * The attributes as expressions read them: each as a single value where the schema of the processor's `claims` has one, and as a list
 * where it has a list or says nothing. XML has only text, so that the schema also says what is a number or a boolean.
 */
export function shapeAttributes(attributes: ReadonlyMap<string, AttributeValues>, claims: JsonObject | undefined): JsonObject {
  const properties = isJsonObject(claims?.properties) ? claims.properties : {}
  const shaped = [...attributes].map(([name, values]) => {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
    return [name, isSingle(schema) ? singleValue(values, schema) : listOf(values, schema)] as const
  })
  return Object.fromEntries(shaped.filter(([, value]) => value !== undefined))
}

function isSingle(schema: JsonValue | undefined): schema is JsonObject {
  const types = typesOf(schema)
  return types.length > 0 && !types.includes('array')
}

// A second value must not disappear: a group that excludes somebody could be it.
function singleValue(values: AttributeValues, schema: JsonObject): JsonValue | undefined {
  if (values.length > 1) throw unacceptable('an attribute has several values, and its schema has a single one')
  const [value] = values
  return value === undefined ? undefined : typed(value, typesOf(schema))
}

function listOf(values: AttributeValues, schema: JsonValue | undefined): JsonValue {
  const types = isJsonObject(schema) ? typesOf(schema.items) : []
  return values.map(value => typed(value, types))
}

function typesOf(schema: JsonValue | undefined): readonly JsonValue[] {
  if (!isJsonObject(schema) || schema.type === undefined) return []
  return Array.isArray(schema.type) ? schema.type : [schema.type]
}

// What is no number or boolean stays text, and the schema refuses it.
function typed(value: string | null, types: readonly JsonValue[]): JsonValue {
  if (value === null || types.includes('string')) return value
  if (types.includes('boolean') && /^(?:true|false|1|0)$/.test(value)) return value === 'true' || value === '1'
  const isNumber = (types.includes('number') || types.includes('integer')) && /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/.test(value)
  return isNumber ? Number(value) : value
}

/** Adds an attribute that must not be there already: which of two would count is anybody's guess (SC-38). */
export function addAttribute(attributes: Map<string, AttributeValues>, name: string, attribute: XmlElement): void {
  if (attributes.has(name)) throw unacceptable('an attribute is there twice')
  attributes.set(name, valuesOf(attribute.children))
}
