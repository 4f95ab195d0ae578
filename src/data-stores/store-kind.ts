import { createHash } from 'node:crypto'
import { z } from 'zod'
import { duration, ExternalText, strict } from '../config/values.ts'
import { DefinedKind, type Parts, type PluginKind, pluginKind } from '../plugin.ts'
import { Breaker, type BreakerSettings } from './breaker.ts'
import type { DataStore, StoreClient } from './data-store.ts'

/** A kind of data store, and the members that lookups in it have beside the common ones. */
export interface DataStoreKind extends PluginKind<DataStore> {
  readonly lookup: z.ZodRawShape
}

/** What `dataStoreKind` makes. */
export class DefinedDataStoreKind extends DefinedKind<DataStore> implements DataStoreKind {
  readonly lookup: z.ZodRawShape
  constructor({ type, schema, shape }: DefinedKind<DataStore>, lookup: z.ZodRawShape) {
    super(type, schema, shape)
    this.lookup = lookup
  }
}

/** Of each attribute, its JSON Schema. */
export const storeAttributes = z
  .record(z.string().min(1), z.record(z.string(), z.json()).meta({ description: 'A JSON Schema (draft 2020-12)' }))
  .refine(attributes => Object.keys(attributes).length > 0, 'must have at least one entry')
  .meta({ description: 'What can be looked up here, each with its JSON Schema; a type with "null" may be absent' })

/**
 * Defines a kind of data store by the shape of its settings, the shape of the lookups in it, and the function that builds it.
 * `sameness` goes into the name of whatever the store keeps over reloads (`parts.kept`), such as its connections. What is not `remote` never
 * fails to answer.
 */
export function dataStoreKind<Shape extends z.ZodRawShape, LookupShape extends z.ZodRawShape>(
  type: string,
  shape: Shape,
  lookup: LookupShape,
  build: (
    settings: z.output<z.ZodObject<Shape>>,
    parts: Parts,
    sameness: string,
  ) => StoreClient<z.output<z.ZodObject<LookupShape>>> | Promise<StoreClient<z.output<z.ZodObject<LookupShape>>>>,
  { remote = true }: { readonly remote?: boolean } = {},
): DefinedDataStoreKind {
  const kind = pluginKind(type, remote ? { ...breakerSettings, ...shape } : shape, async (settings, parts): Promise<DataStore> => {
    const sameness = samenessOf(settings, parts)
    const { breaker } = settings as { readonly breaker?: BreakerSettings }
    const client = (await build(settings, parts, sameness)) as StoreClient<unknown>
    for (const [name, schema] of Object.entries(client.attributes)) parts.jsonSchema(schema, ['attributes', name])
    return {
      id: parts.id,
      type,
      attributes: client.attributes,
      sameness,
      lookup: strict(lookup, {}, lookupMembers),
      client,
      breaker: breakerOf(sameness, breaker, parts),
    }
  })
  return new DefinedDataStoreKind(kind, lookup)
}

const breakerSettings = {
  breaker: strict({
    failures: z.int().min(1).max(1_000).default(5).meta({ description: 'After so many failures in a row it is left alone (default 5)' }),
    pause: duration
      .refine(seconds => seconds >= 1 && seconds <= 3_600, 'must be between "1s" and "1h"')
      .default(5)
      .meta({ description: 'For how long, until one question tells whether it is back (default "5s")' }),
  })
    .prefault({})
    .meta({ description: 'When a data store that fails is left alone: exchanges that need it then do not wait for it' }),
}

function breakerOf(sameness: string, settings: BreakerSettings | undefined, { kept }: Parts): Breaker {
  return kept.of(['breaker', sameness], () => new Breaker(settings ?? { failures: Number.POSITIVE_INFINITY, pause: 0 }))
}

/** The members of a lookup that are the same for every kind (`policies/lookup-settings.ts`). */
const lookupMembers = ['description', 'dataStore', 'attributes', 'timeout', 'cache', 'many', 'ifMissing', 'ifDown']

// Secrets take part, and nobody gets them back from a digest.
function samenessOf(settings: object, parts: Parts): string {
  const { description: _forPeople, $schema: _forEditors, ...meaning } = settings as { description?: unknown; $schema?: unknown }
  const text = JSON.stringify([parts.id, meaning], (_name, value) => (value instanceof ExternalText ? parts.text(value) : value))
  return createHash('sha256').update(text).digest('base64url')
}
