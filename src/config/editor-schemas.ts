import { z } from 'zod'
import { dataStoreKinds } from '../data-stores/index.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { isJsonObject } from '../json.ts'
import type { PluginKind } from '../plugin.ts'
import { lookupDescription } from '../policies/lookup-settings.ts'
import { plainFiles, pluginKinds } from './parse.ts'

/** The JSON Schemas with which an editor completes and checks each kind of file, by file name. Generated from what the server itself parses with. */
export function editorSchemas(): Record<string, JsonObject> {
  return {
    'server.schema.json': ofFile('server.json', plainFiles.server),
    'processor-policy.schema.json': ofFile('policies/processor-policies/*.json', plainFiles['processor-policies']),
    'generator-group.schema.json': ofFile('policies/generator-groups/*.json', plainFiles['generator-groups']),
    'idp-connection.schema.json': ofFile('policies/idp-connections/*.json', plainFiles['idp-connections']),
    'client.schema.json': ofFile('clients/*.json', plainFiles.clients),
    'key.schema.json': ofFile('keys/*.json', plainFiles.keys),
    'policy-test.schema.json': ofFile('policies/tests/*.json', plainFiles.tests),
    'data-store.schema.json': ofPlugins('policies/data-stores/*.json', pluginKinds['data-stores'] ?? []),
    'token-processor.schema.json': ofPlugins('policies/token-processors/*.json', pluginKinds['token-processors'] ?? []),
    'token-generator.schema.json': ofPlugins('policies/token-generators/*.json', pluginKinds['token-generators'] ?? []),
    'access-token-manager.schema.json': ofPlugins('policies/access-token-managers/*.json', pluginKinds['access-token-managers'] ?? []),
  }
}

function ofFile(title: string, schema: z.ZodType): JsonObject {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...convert(schema) }
}

// A file that extends another one may leave out what that one has, also its type.
function ofPlugins(title: string, kinds: readonly PluginKind<unknown>[]): JsonObject {
  const whole = kinds.map(kind => convert(kind.schema))
  const extending = whole.map(schema => ({ ...schema, required: ['extends'] }))
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, anyOf: [...whole, ...extending] }
}

function convert(schema: z.ZodType): JsonObject {
  const {
    $schema: _version,
    $defs: _anyJson,
    ...converted
  } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  }) as JsonObject
  return simplified(converted) as JsonObject
}

const metaSchema = 'https://json-schema.org/draft/2020-12/schema'

function simplified(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map(item => simplified(item) as JsonValue)
  if (!isJsonObject(value)) return value
  // The only definitions that are left say what JSON is.
  if (typeof value.$ref === 'string' && value.$ref.startsWith('#/$defs/')) return {}
  if (value.description === lookupDescription) return anyLookup(value)
  if (String(value.description).startsWith('A JSON Schema')) return { description: value.description, $ref: metaSchema }
  return sorted(value)
}

// Which members a lookup may have beside the common ones, its data store decides: an editor offers those of all types.
function anyLookup({ additionalProperties: _open, ...common }: JsonObject): JsonObject {
  const own = new Map<string, JsonObject[]>()
  for (const { lookup } of dataStoreKinds) {
    const { properties } = convert(z.strictObject(lookup)) as { readonly properties: Readonly<Record<string, JsonObject>> }
    for (const [name, schema] of Object.entries(properties)) own.set(name, [...(own.get(name) ?? []), schema])
  }
  const offered = [...own].map(([name, schemas]) => [name, schemas.length === 1 ? schemas[0] : { anyOf: schemas }] as const)
  const properties = { ...(common.properties as JsonObject), ...Object.fromEntries(offered) } as JsonObject
  return sorted({ ...common, properties, additionalProperties: false })
}

// Members in one order, so that the same code always writes the same file.
function sorted(value: JsonObject): JsonObject {
  const first = ['title', 'description', 'type', 'anyOf', 'oneOf', 'const', 'enum']
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length)
  const names = Object.keys(value)
  return Object.fromEntries(names.sort((left, right) => rank(left) - rank(right)).map(name => [name, simplified(value[name])]))
}
