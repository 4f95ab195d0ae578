import type { FolderKind } from '../config/folders.ts'
import { DefinedDataStoreKind } from '../data-stores/store-kind.ts'
import { type Blueprint, type DefinedKind, NotBuilt, type Parts, type PluginKind, SettingProblem } from '../plugin.ts'
import { usualMilliseconds } from './border.ts'
import { nameOf, placeThrown } from './fault.ts'
import { guardedDataStore } from './guarded-data-store.ts'
import { guardedGenerator } from './guarded-generator.ts'
import { guardedManager } from './guarded-manager.ts'
import { guardedProcessor } from './guarded-processor.ts'

/** Which package a kind comes from, and how long a call may take. */
export interface Origin {
  readonly from: string
  readonly folder: FolderKind
  readonly milliseconds?: number
}

/** A kind of a plug-in as the loader takes it: built behind the border, which costs our own kinds nothing. */
export function guardedKind(kind: DefinedKind<unknown>, origin: Origin): PluginKind<unknown> {
  const schema = kind.schema.transform(
    (blueprint): Blueprint<unknown> => ({ ...blueprint, build: parts => build(blueprint, parts, origin) }),
  )
  const lookup = kind instanceof DefinedDataStoreKind ? { lookup: kind.lookup } : {}
  return { type: kind.type, schema, from: origin.from, ...lookup }
}

async function build({ type, settings, build }: Blueprint<unknown>, parts: Parts, { from, folder, milliseconds }: Origin) {
  const border = {
    plugin: `the plug-in type "${type}" of ${from} (${parts.settingAt([]).trim()})`,
    milliseconds: milliseconds ?? usualMilliseconds,
  }
  const built = await builtBy(() => build(parts))
  if (folder === 'token-processors') return guardedProcessor(built, settings, parts, border)
  if (folder === 'token-generators') return guardedGenerator(built, settings, parts, { type, ...border })
  if (folder === 'data-stores') return guardedDataStore(built, border)
  return guardedManager(built, settings, parts, { type, ...border })
}

// The message may repeat a secret of the settings; the place leads the author there just as well.
async function builtBy(build: () => unknown): Promise<unknown> {
  try {
    return await build()
  } catch (error) {
    if (error instanceof SettingProblem || error instanceof NotBuilt) throw error
    const what = error instanceof Error ? nameOf(error) : `a value of type ${typeof error}`
    throw new SettingProblem(['type'], `the plug-in threw ${what} while it was built ${placeThrown(error)}`.trimEnd())
  }
}
