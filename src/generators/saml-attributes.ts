import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { SamlAttribute } from '../saml/assertion-content.ts'

/** The member of a SAML generator's contract that becomes the NameID, and the one that says its format where the file's is not for all. */
export const subjectName = 'SAML_SUBJECT'
export const subjectNameFormat = 'SAML_NAME_FORMAT'

/** How an attribute is called in an assertion: `qualifier` is NameFormat in SAML 2.0 and AttributeNamespace in 1.1. */
export interface AttributeName {
  readonly name: string
  readonly qualifier: string | undefined
  readonly friendlyName?: string | undefined
}

/** A contract whose attributes may say in `"saml"` how they are called in the assertion. */
export function samlContract<Annotation extends z.ZodType>(annotation: Annotation) {
  return z
    .record(z.string().min(1), z.object({ saml: annotation.optional() }).catchall(z.json()))
    .refine(contract => !Object.hasOwn(contract, '__proto__'), 'an attribute cannot have the name __proto__')
    .meta({ description: `The attributes, each with its JSON Schema; ${subjectName} is the name of the subject` })
}

/** What is wrong with a contract as the content of an assertion, each with its place in it. */
export function contractProblems(contract: Readonly<Record<string, JsonObject>>): Array<{ path: Path; message: string }> {
  return Object.entries(contract).flatMap(([name, schema]) => {
    if (name === subjectName || name === subjectNameFormat) return specialProblem(name, schema)
    if (name.startsWith('SAML_'))
      return [{ path: [name], message: `"${subjectName}" and "${subjectNameFormat}" are the only names of this form` }]
    const message = typeProblem(schema)
    return message === undefined ? [] : [{ path: [name], message }]
  })
}

function specialProblem(name: string, { type, saml }: JsonObject): Array<{ path: Path; message: string }> {
  if (saml !== undefined) return [{ path: [name, 'saml'], message: `"${name}" is no attribute of the assertion` }]
  const suits = type === 'string' || (name === subjectNameFormat && withoutNull(type).every(each => each === 'string'))
  return suits ? [] : [{ path: [name], message: 'needs "type": "string"' }]
}

const scalars = ['string', 'number', 'integer', 'boolean']

// An object would have to become XML or JSON inside of a text, and receivers do not agree on either.
function typeProblem({ type, items }: JsonObject): string | undefined {
  const types = withoutNull(type)
  if (types.length === 0 || !types.every(each => each === 'array' || scalars.includes(String(each))))
    return 'needs a "type" of text, number or boolean, or a list of these: an assertion holds nothing else'
  const itemTypes = isJsonObject(items) ? listOf(items.type) : []
  if (types.includes('array') && (itemTypes.length === 0 || !itemTypes.every(each => scalars.includes(String(each)))))
    return 'needs "items" with a "type" of text, number or boolean'
  return undefined
}

function withoutNull(type: JsonValue | undefined): readonly JsonValue[] {
  return listOf(type).filter(each => each !== 'null')
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as JsonValue]
}

/** Makes the function that turns mapped values into attributes. What is null or an empty list is left out. */
export function attributeWriter(names: ReadonlyArray<readonly [key: string, AttributeName]>): (values: JsonObject) => SamlAttribute[] {
  return values =>
    names.flatMap(([key, { name, qualifier, friendlyName }]) => {
      const texts = listOf(values[key] ?? undefined).map(value => asText(value, key))
      return texts.length === 0 ? [] : [{ name, qualifier, friendlyName, values: texts }]
    })
}

function asText(value: JsonValue, key: string): string {
  if (typeof value === 'object') throw new OAuthError('contract-not-met', `the attribute "${key}" is no text, number or boolean`)
  return String(value)
}

/** The names that two attributes of a contract would share in the assertion. */
export function sharedNames(names: ReadonlyArray<readonly [key: string, AttributeName]>): Array<readonly [key: string, other: string]> {
  return names.flatMap(([key, one], index) => {
    const twin = names.slice(0, index).find(([, other]) => other.name === one.name && other.qualifier === one.qualifier)
    return twin === undefined ? [] : [[key, twin[0]] as const]
  })
}
