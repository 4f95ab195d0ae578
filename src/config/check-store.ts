import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ifBuilt, NotBuilt } from '../plugin.ts'
import { problemOfStore, storeProbe } from '../stores/open-store.ts'
import type { ConfiguredProbe, Surroundings } from './build.ts'
import type { ParsedFile } from './parse.ts'
import type { ServerSettings } from './server-file.ts'
import type { ExternalText } from './values.ts'

/** Reports an address of the store that stands outside of the configuration and is none, and tells how the store is asked. */
export function checkStore({
  folder,
  files,
  texts,
  outside: { now, log },
  findings,
}: Omit<Surroundings, 'server' | 'kept'> & {
  readonly folder: string | undefined
  readonly files: readonly ParsedFile[]
}): readonly ConfiguredProbe[] {
  const file = files.find(({ source }) => source.kind === 'server')
  if (file === undefined) return []
  const { store } = file.blueprint.settings as ServerSettings
  // What cannot be read is reported where it was tried.
  const text = (external: ExternalText) => texts.get(external) ?? fail()
  const problem = ifBuilt(() => problemOfStore(store, text))
  if (problem !== undefined) findings.report(file, problem.path, problem.message)
  if (folder !== undefined && store.type === 'embedded' && isNoFolder(resolve(folder, store.path)))
    findings.report(file, ['store', 'path'], `is a file: the store needs a folder of its own, such as "data"`)
  // Stores of other kinds are opened in the folder; a store of this kind needs none.
  const probe = storeProbe(store, { text, now, log, baseFolder: '.' })
  return probe === undefined ? [] : [{ ...probe, file }]
}

function isNoFolder(path: string): boolean {
  try {
    return !statSync(path).isDirectory()
  } catch (error) {
    // What is not there is made at the start; below a file nothing can be.
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR'
  }
}

function fail(): never {
  throw new NotBuilt()
}
