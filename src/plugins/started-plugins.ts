import { digestOfFiles } from './package-files.ts'
import type { PluginFinder, PluginPackage, Plugins } from './plugin-package.ts'

/**
 * The packages of a server that runs: those that it has started with, of which Node keeps the code whatever becomes of their files.
 * Each has the digest of its files as they are now.
 */
export function pluginsOfTheStart(started: Plugins): PluginFinder {
  return async names => {
    const packages = started.packages.filter(({ name }) => names.includes(name))
    const waiting = names.filter(name => !packages.some(each => each.name === name))
    return { packages: await Promise.all(packages.map(asItIsNow)), problems: [], waiting }
  }
}

async function asItIsNow(loaded: PluginPackage): Promise<PluginPackage> {
  return { ...loaded, digest: await digestOfFiles(loaded.files) }
}

/** The same in another process, which has to have the very same code: half of the requests would be judged by another one. */
export async function requireSamePlugins({ packages, problems }: Plugins, wanted: ReadonlyArray<Pick<PluginPackage, 'name' | 'digest'>>) {
  for (const { name, digest } of wanted) {
    if (packages.find(each => each.name === name)?.digest === digest) continue
    const [why] = problems.map(({ message }) => `: ${message}`)
    throw new Error(`the package "${name}" is not what it was when the server started${why ?? ''}; restart the server`)
  }
}
