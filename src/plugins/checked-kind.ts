import { z } from 'zod'
import type { FolderKind } from '../config/folders.ts'
import { DefinedDataStoreKind } from '../data-stores/store-kind.ts'
import { DefinedKind, everyPlugin } from '../plugin.ts'
import { everyLookup } from '../policies/lookup-settings.ts'
import { tokenGeneratorSettings } from './guarded-generator.ts'
import { accessTokenManagerSettings } from './guarded-manager.ts'
import { tokenProcessorSettings } from './guarded-processor.ts'

/** What all plug-ins of a folder have in common, and how it is called in `cambist`. */
const common: Readonly<Partial<Record<FolderKind, readonly [name: string, shape: z.ZodRawShape]>>> = {
  'token-processors': ['tokenProcessorSettings', tokenProcessorSettings],
  'token-generators': ['tokenGeneratorSettings', tokenGeneratorSettings],
  'access-token-managers': ['accessTokenManagerSettings', accessTokenManagerSettings],
}

/** What is wrong with a kind of plug-in that a package exports; undefined: nothing. */
export function kindProblem(kind: unknown, folder: FolderKind): string | undefined {
  if (!(kind instanceof DefinedKind)) return 'was not made by pluginKind() of this cambist: import { pluginKind } from "cambist"'
  if (typeof kind.type !== 'string' || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(kind.type))
    return 'has no type of small letters, digits and hyphens, such as "legacy-token"'
  if (folder === 'data-stores' && !(kind instanceof DefinedDataStoreKind))
    return `of type "${kind.type}" is no data store: make it with dataStoreKind()`
  const problem = shapeProblem(kind.shape, folder) ?? lookupProblem(kind) ?? schemaProblem(kind.schema)
  return problem === undefined ? undefined : `of type "${kind.type}" ${problem}`
}

function shapeProblem(shape: z.ZodRawShape, folder: FolderKind): string | undefined {
  for (const [name, schema] of Object.entries(shape)) {
    if (name === 'type' || Object.hasOwn(everyPlugin, name)) return `has a setting "${name}", which every file has already`
    const problem = zodProblem(schema)
    if (problem !== undefined) return `has a setting "${name}" ${problem}`
  }
  const [source, wanted] = common[folder] ?? ['', {}]
  const missing = Object.keys(wanted).filter(name => shape[name] !== wanted[name])
  return missing.length === 0 ? undefined : `lacks the settings ${missing.join(', ')} as they are: write ...${source} into its shape`
}

function lookupProblem(kind: DefinedKind<unknown>): string | undefined {
  const own = kind instanceof DefinedDataStoreKind ? Object.entries(kind.lookup) : []
  for (const [name, schema] of own) {
    if (Object.hasOwn(everyLookup, name)) return `has a member "${name}" of lookups, which every lookup has already`
    const problem = zodProblem(schema)
    if (problem !== undefined) return `has a member "${name}" of lookups ${problem}`
  }
  return undefined
}

// Schemas of other versions look alike and parse differently, or not at all.
function zodProblem(schema: unknown): string | undefined {
  const version = (schema as { readonly _zod?: { readonly version?: Partial<typeof z.core.version> } } | null)?._zod?.version
  const { major, minor } = z.core.version
  if (version?.major === major && version.minor === minor) return undefined
  return `that is no schema of zod ${major}.${minor}: import { z } from "cambist"`
}

// An editor could not check what the server checks.
function schemaProblem(schema: z.ZodType): string | undefined {
  try {
    z.toJSONSchema(schema, { io: 'input', unrepresentable: 'throw', reused: 'inline' })
    return undefined
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''
    return `has settings that no JSON Schema can describe (${why}), so that editors could not check them`
  }
}
