import { Findings } from '../config/findings.ts'
import type { Problem } from '../config/problems.ts'
import type { Sources } from '../config/read.ts'
import { isJsonObject } from '../json.ts'
import type { Plugins } from './plugin-package.ts'

/** What npm takes for the name of a package. Neither a path nor an address is one. */
export const packageName = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

/** The packages that `server.json` names, whatever else is wrong with it: types of theirs are no mistakes. */
export function namedPlugins(sources: Pick<Sources, 'files'>): readonly string[] {
  return [...new Set(listIn(sources).filter(isPackageName))]
}

// What is none, the schema of the file reports.
function isPackageName(name: unknown): name is string {
  return typeof name === 'string' && packageName.test(name)
}

function listIn({ files }: Pick<Sources, 'files'>): readonly unknown[] {
  const value = files.find(({ kind }) => kind === 'server')?.text.value
  return isJsonObject(value) && Array.isArray(value.plugins) ? value.plugins : []
}

/** What is wrong with these packages, where the list names them. */
export function problemsOfPlugins({ problems }: Plugins, sources: Pick<Sources, 'files'>): readonly Problem[] {
  const source = sources.files.find(({ kind }) => kind === 'server')
  if (source === undefined) return []
  const findings = new Findings()
  const list = listIn(sources)
  for (const { name, message } of problems) findings.report({ source, inherited: new Map() }, ['plugins', list.indexOf(name)], message)
  return findings.problems
}
