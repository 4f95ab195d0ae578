import type { Findings } from './findings.ts'
import { findInstances } from './link.ts'
import type { ParsedFile } from './parse.ts'
import { Reference } from './values.ts'

/**
 * The files of one kind in the order in which they can be built: token generators that hand on what another one makes come after all
 * that do not. One that names such a one is reported.
 */
export function usedFirst(files: readonly ParsedFile[], findings: Findings): readonly ParsedFile[] {
  const users = new Map(files.flatMap(file => (usedBy(file).length > 0 ? [[file.source.id, file] as const] : [])))
  for (const file of users.values()) {
    for (const [path, { id }] of usedBy(file)) {
      if (users.has(id)) findings.report(file, path, `"${id}" makes no token of its own that could be used here`)
    }
  }
  return [...files.filter(({ source }) => !users.has(source.id)), ...users.values()]
}

function usedBy({ source, blueprint }: ParsedFile) {
  if (source.kind !== 'token-generators') return []
  return findInstances(blueprint.settings, Reference).filter(([, { kind }]) => kind === 'token-generators')
}
