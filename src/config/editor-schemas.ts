import { z } from 'zod'
import type { DataStoreKind } from '../data-stores/store-kind.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { isJsonObject } from '../json.ts'
import type { PluginKind } from '../plugin.ts'
import { noPlugins, type Plugins } from '../plugins/plugin-package.ts'
import { lookupDescription } from '../policies/lookup-settings.ts'
import type { FolderKind } from './folders.ts'
import { kindsOf, plainFiles } from './parse.ts'

/** The JSON Schemas with which an editor completes and checks each kind of file, by file name. Generated from what the server itself parses with; `plugins` adds its types. */
export function editorSchemas(plugins: Plugins = noPlugins): Record<string, JsonObject> {
  const kinds = (folder: FolderKind) => kindsOf(folder, plugins) ?? []
  const stores = kinds('data-stores') as readonly DataStoreKind[]
  const ofFile = (title: string, schema: z.ZodType) => ({ $schema: metaSchema, title, ...convert(schema, stores) })
  const ofPlugins = (title: string, listed: readonly PluginKind<unknown>[]) => pluginSchema(title, listed, stores)
  return {
    'server.schema.json': ofFile('server.json', plainFiles.server),
    'processor-policy.schema.json': ofFile('policies/processor-policies/*.json', plainFiles['processor-policies']),
    'generator-group.schema.json': ofFile('policies/generator-groups/*.json', plainFiles['generator-groups']),
    'idp-connection.schema.json': ofFile('policies/idp-connections/*.json', plainFiles['idp-connections']),
    'client.schema.json': ofFile('clients/*.json', plainFiles.clients),
    'key.schema.json': ofFile('keys/*.json', plainFiles.keys),
    'policy-test.schema.json': ofFile('policies/tests/*.json', plainFiles.tests),
    'data-store.schema.json': ofPlugins('policies/data-stores/*.json', kinds('data-stores')),
    'token-processor.schema.json': ofPlugins('policies/token-processors/*.json', kinds('token-processors')),
    'token-generator.schema.json': ofPlugins('policies/token-generators/*.json', kinds('token-generators')),
    'access-token-manager.schema.json': ofPlugins('policies/access-token-managers/*.json', kinds('access-token-managers')),
  }
}

const metaSchema = 'https://json-schema.org/draft/2020-12/schema'

/** Kinds of data store, for what stands in their lookups. */
type Stores = readonly DataStoreKind[]

// A file that extends another one may leave out what that one has, also its type.
function pluginSchema(title: string, kinds: readonly PluginKind<unknown>[], stores: Stores): JsonObject {
  const whole = kinds.map(kind => convert(kind.schema, stores))
  const extending = whole.map(schema => ({ ...schema, required: ['extends'] }))
  return { $schema: metaSchema, title, anyOf: [...whole, ...extending] }
}

function convert(schema: z.ZodType, stores: Stores): JsonObject {
  const {
    $schema: _version,
    $defs: _anyJson,
    ...converted
  } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  }) as JsonObject
  return simplified(converted, stores) as JsonObject
}

function simplified(value: JsonValue | undefined, stores: Stores): JsonValue | undefined {
  if (Array.isArray(value)) return value.map(item => simplified(item, stores) as JsonValue)
  if (!isJsonObject(value)) return value
  // The only definitions that are left say what JSON is.
  if (typeof value.$ref === 'string' && value.$ref.startsWith('#/$defs/')) return {}
  if (value.description === lookupDescription) return anyLookup(value, stores)
  if (String(value.description).startsWith('A JSON Schema')) return { description: value.description, $ref: metaSchema }
  return sorted(value, stores)
}

// Which members a lookup may have beside the common ones, its data store decides: an editor offers those of all types.
function anyLookup({ additionalProperties: _open, ...common }: JsonObject, stores: Stores): JsonObject {
  const own = new Map<string, JsonObject[]>()
  for (const { lookup } of stores) {
    const { properties } = convert(z.strictObject(lookup), stores) as { readonly properties: Readonly<Record<string, JsonObject>> }
    for (const [name, schema] of Object.entries(properties)) own.set(name, [...(own.get(name) ?? []), schema])
  }
  const offered = [...own].map(([name, schemas]) => [name, schemas.length === 1 ? schemas[0] : { anyOf: schemas }] as const)
  const properties = { ...(common.properties as JsonObject), ...Object.fromEntries(offered) } as JsonObject
  return sorted({ ...common, properties, additionalProperties: false }, stores)
}

// Members in one order, so that the same code always writes the same file.
function sorted(value: JsonObject, stores: Stores): JsonObject {
  const first = ['title', 'description', 'type', 'anyOf', 'oneOf', 'const', 'enum']
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length)
  const names = Object.keys(value)
  return Object.fromEntries(names.sort((left, right) => rank(left) - rank(right)).map(name => [name, simplified(value[name], stores)]))
}
