import type { Findings } from './findings.ts'
import { findInstances } from './link.ts'
import type { ParsedFile } from './parse.ts'
import type { Path } from './problems.ts'
import type { SourceFile } from './read.ts'
import { Reference } from './values.ts'

/** Reports two targets that claim one name, at every file that takes part, because either may be the mistake. */
export function reportClashes(files: readonly ParsedFile[], findings: Findings): void {
  const targets = files.filter(({ source }) => source.kind === 'access-token-managers' || source.kind === 'generator-groups')
  for (const member of ['resources', 'audiences'] as const) {
    for (const claims of claimsOf(targets, member).values()) {
      if (claims.length < 2) continue
      for (const { file, path, name } of claims) {
        const others = claims.filter(claim => claim.file !== file).map(claim => claim.file.source.file)
        findings.report(
          file,
          path,
          `"${name}" leads to one target only, and ${others.join(' and ')} ${others.length === 1 ? 'has' : 'have'} it too`,
        )
      }
    }
  }
}

interface Claim {
  readonly file: ParsedFile
  readonly path: Path
  readonly name: string
}

function claimsOf(targets: readonly ParsedFile[], member: 'resources' | 'audiences'): ReadonlyMap<string, Claim[]> {
  const claims = new Map<string, Claim[]>()
  for (const file of targets) {
    const names = (file.blueprint.settings as Partial<Record<typeof member, readonly string[]>>)[member] ?? []
    for (const [index, name] of names.entries()) {
      const known = claims.get(name)
      const claim = { file, path: [member, index], name }
      if (known === undefined) claims.set(name, [claim])
      else known.push(claim)
    }
  }
  return claims
}

/** Reports a policy that issues to a token generator which is in no group: no request can ever select it. */
export function reportUnreachableGenerators(files: readonly ParsedFile[], sources: readonly SourceFile[], findings: Findings): void {
  const groups = files.filter(({ source }) => source.kind === 'generator-groups')
  const grouped = new Set(groups.flatMap(file => generatorsIn(file).map(([, { id }]) => id)))
  // A group with a mistake of its own may be the one that has the generator; and one that does not exist is told of elsewhere.
  const ofKind = (kind: SourceFile['kind']) => sources.filter(source => source.kind === kind)
  const generators = new Set(ofKind('token-generators').map(({ id }) => id))
  if (groups.length < ofKind('generator-groups').length || [...grouped].some(id => !generators.has(id))) return
  for (const file of files.filter(({ source }) => source.kind === 'processor-policies')) {
    for (const [path, { id }] of generatorsIn(file)) {
      if (generators.has(id) && !grouped.has(id))
        findings.report(file, path, `is never reached: no generator group has the token generator "${id}"`)
    }
  }
}

function generatorsIn({ blueprint }: ParsedFile): Array<[Path, Reference]> {
  return findInstances(blueprint.settings, Reference).filter(([, { kind }]) => kind === 'token-generators')
}
