import { createHash } from 'node:crypto'
import { findInstances } from './link.ts'
import type { ParsedFile } from './parse.ts'
import { ExternalText } from './values.ts'

/** The version of a configuration that has tables: they decide about exchanges as its own files do, and are no secrets. */
export function versionWithTables(version: string, files: readonly ParsedFile[], texts: ReadonlyMap<ExternalText, string>): string {
  const tables = files.filter(({ source, blueprint }) => source.kind === 'data-stores' && blueprint.type === 'table')
  if (tables.length === 0) return version
  const hash = createHash('sha256').update(version)
  for (const { blueprint } of tables) {
    for (const [, external] of findInstances(blueprint.settings, ExternalText)) hash.update(`\0${texts.get(external) ?? ''}`)
  }
  return hash.digest('hex').slice(0, 16)
}
