import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { pluginKinds } from '../config/parse.ts'
import { findPackage } from './find-package.ts'
import { answerForCambist } from './own-package.ts'
import { codeFilesOf, digestOfFiles } from './package-files.ts'
import type { PluginFinder, PluginPackage, Plugins } from './plugin-package.ts'
import { kindsExportedBy, typesOf } from './read-exports.ts'

const millisecondsToLoad = 30_000

/** Loads packages of plug-ins: found from the folder of the configuration, else from where cambist is installed. */
export function pluginsFrom(folder: string): PluginFinder {
  return async names => {
    const packages: PluginPackage[] = []
    const problems: Array<Plugins['problems'][number]> = []
    for (const name of names) {
      const loaded = await loadPackage(name, folder)
      const problem = typeof loaded === 'string' ? loaded : clashOf(loaded, packages)
      if (problem !== undefined) problems.push({ name, message: problem })
      else packages.push(loaded as PluginPackage)
    }
    return { packages, problems, waiting: [] }
  }
}

async function loadPackage(name: string, folder: string): Promise<PluginPackage | string> {
  const found = await findPackage(name, [folder, import.meta.dirname])
  if (found === undefined) return `there is no package "${name}" here: type "npm install ${name}" in the configuration folder`
  if (found.entry === undefined) return `the package.json of "${name}" says nothing of what is imported ("exports")`
  const exported = await load(found.entry)
  if (typeof exported === 'string') return exported
  const kinds = kindsExportedBy(exported.module, name)
  if (typeof kinds === 'string') return kinds
  const files = await codeFilesOf(found.folder)
  return { name, version: found.version, kinds, files, digest: await digestOfFiles(files) }
}

async function load(entry: string): Promise<{ readonly module: object } | string> {
  answerForCambist()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>(resolve => {
    timer = setTimeout(() => resolve(`does not get done with loading (${entry})`), millisecondsToLoad)
  })
  try {
    return await Promise.race([
      late,
      import(pathToFileURL(entry).href).then((module: object) => ({ module: commonModule(entry) ?? module })),
    ])
  } catch (error) {
    // Nothing has been told to it yet that it could repeat.
    const { name, message } = error instanceof Error ? error : { name: 'a value', message: typeof error }
    return `throws while it is loaded: ${name}: ${message.split('\n')[0]} (${entry})`
  } finally {
    clearTimeout(timer)
  }
}

/** What a package that was written for `require` exports: of `module.exports = { … }`, an import sees some names only. */
function commonModule(entry: string): object | undefined {
  const exported: unknown = createRequire(import.meta.url).cache[entry]?.exports
  return typeof exported === 'object' && exported !== null ? exported : undefined
}

function clashOf({ kinds }: PluginPackage, earlier: readonly PluginPackage[]): string | undefined {
  const taken = [{ name: 'cambist itself', kinds: pluginKinds }, ...earlier]
  for (const [folder, type] of typesOf(kinds)) {
    const other = taken.find(each => each.kinds[folder]?.some(kind => kind.type === type))
    if (other !== undefined) return `has a type "${type}" for ${folder}, which ${other.name} has already`
  }
  return undefined
}
