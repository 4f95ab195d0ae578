import type { Findings } from './findings.ts'
import { findInstances } from './link.ts'
import type { ParsedFile } from './parse.ts'
import type { Path } from './problems.ts'
import type { SourceFile } from './read.ts'
import { Reference } from './values.ts'

/** Reports a policy that issues to something which no request can ever select. */
export function reportUnreachable(files: readonly ParsedFile[], sources: readonly SourceFile[], findings: Findings): void {
  // A file with a mistake of its own may be the one that leads there.
  const whole = (...kinds: readonly SourceFile['kind'][]) =>
    files.filter(({ source }) => kinds.includes(source.kind)).length === sources.filter(({ kind }) => kinds.includes(kind)).length
  if (whole('generator-groups')) reportGenerators(files, sources, findings)
  if (whole('generator-groups', 'access-token-managers', 'clients', 'server')) reportTargets(files, findings)
}

function reportGenerators(files: readonly ParsedFile[], sources: readonly SourceFile[], findings: Findings): void {
  const grouped = new Set(referencesIn(files, 'generator-groups', 'token-generators').map(({ id }) => id))
  // One that does not exist is told of elsewhere.
  const generators = new Set(sources.filter(({ kind }) => kind === 'token-generators').map(({ id }) => id))
  if ([...grouped].some(id => !generators.has(id))) return
  for (const { file, path, id } of referencesIn(files, 'processor-policies', 'token-generators')) {
    if (generators.has(id) && !grouped.has(id))
      findings.report(file, path, `is never reached: no generator group has the token generator "${id}"`)
  }
}

/** A target is selected by its resources and audiences, or as a default of the server or of a client. */
function reportTargets(files: readonly ParsedFile[], findings: Findings): void {
  const unselectable = new Set(files.filter(file => isTarget(file) && !hasNames(file)).map(({ source }) => `${source.kind}/${source.id}`))
  for (const { blueprint } of files) for (const { kind, id } of defaultsIn(blueprint.settings)) unselectable.delete(`${kind}/${id}`)
  for (const { file, path, id } of referencesIn(files, 'processor-policies', 'access-token-managers')) {
    if (unselectable.has(`access-token-managers/${id}`)) findings.report(file, path, `is never reached: ${nameless(`"${id}"`)}`)
  }
  const groups = referencesIn(files, 'generator-groups', 'token-generators')
  for (const { file, path, id } of referencesIn(files, 'processor-policies', 'token-generators')) {
    const leading = groups.filter(group => group.id === id).map(group => group.file.source.id)
    if (leading.length > 0 && leading.every(group => unselectable.has(`generator-groups/${group}`)))
      findings.report(file, path, `is never reached: ${nameless(leading.map(group => `"${group}"`).join(' and '))}`)
  }
}

function nameless(target: string): string {
  return `${target} has neither resources nor audiences, and is nobody's default`
}

function isTarget({ source }: ParsedFile): boolean {
  return source.kind === 'access-token-managers' || source.kind === 'generator-groups'
}

function hasNames({ blueprint }: ParsedFile): boolean {
  const { resources = [], audiences = [] } = blueprint.settings as { resources?: readonly string[]; audiences?: readonly string[] }
  return resources.length + audiences.length > 0
}

function defaultsIn(settings: object): Reference[] {
  const { defaults, tokenExchange } = settings as { defaults?: object; tokenExchange?: { default?: object } }
  return [defaults, tokenExchange?.default].flatMap(members => findInstances(members, Reference).map(([, reference]) => reference))
}

interface Found {
  readonly file: ParsedFile
  readonly path: Path
  readonly id: string
}

/** The references of one kind of file to another kind. */
function referencesIn(files: readonly ParsedFile[], from: SourceFile['kind'], to: Reference['kind']): Found[] {
  return files
    .filter(({ source }) => source.kind === from)
    .flatMap(file => findInstances(file.blueprint.settings, Reference).map(([path, { kind, id }]) => ({ file, path, kind, id })))
    .filter(({ kind }) => kind === to)
}
