import type { z } from 'zod'
import { type Reference, reference } from '../config/values.ts'
import type { StoreClient } from '../data-stores/data-store.ts'
import { dataStoreKind as ownDataStoreKind } from '../data-stores/store-kind.ts'
import { pluginKind as ownKind, type PluginKind } from '../plugin.ts'
import { type PluginParts, partsForPlugin } from './plugin-parts.ts'

/** A kind of plug-in, for the lists that a package exports. */
export type PluginKindOf<Built> = PluginKind<Built>

/**
 * Defines a kind of token processor, token generator or access token manager: `type` is what files of the configuration say, `shape`
 * their members (with `...tokenProcessorSettings` and its like), and `build` makes one of them from its parsed settings.
 */
export function pluginKind<Shape extends z.ZodRawShape, Built>(
  type: string,
  shape: Shape,
  build: (settings: z.output<z.ZodObject<Shape>>, parts: PluginParts) => Built | Promise<Built>,
): PluginKindOf<Built> {
  return ownKind(type, shape, (settings, parts) => build(settings, partsForPlugin(parts, type)))
}

/** The same for a data store: `lookup` has the members that lookups in it have in a policy. */
export function dataStoreKind<Shape extends z.ZodRawShape, LookupShape extends z.ZodRawShape>(
  type: string,
  shape: Shape,
  lookup: LookupShape,
  build: (settings: z.output<z.ZodObject<Shape>>, parts: PluginParts) => StoreClient<z.output<z.ZodObject<LookupShape>>>,
): PluginKindOf<unknown> {
  return ownDataStoreKind(type, shape, lookup, (settings, parts) => build(settings, partsForPlugin(parts, type)))
}

/** A member that names a key of the configuration, for `parts.signingKey`. */
export function keyReference(): z.ZodType<Reference, string> {
  return reference('keys')
}
