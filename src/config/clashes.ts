import type { Findings } from './findings.ts'
import { groupedBy } from './grouped-by.ts'
import type { ParsedFile } from './parse.ts'
import type { Path } from './problems.ts'

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

/** Reports two IdP connections for one issuer: a message that names no connection could mean either. */
export function reportSharedEntities(files: readonly ParsedFile[], findings: Findings): void {
  const connections = files.filter(({ source }) => source.kind === 'idp-connections')
  const byEntity = groupedBy(connections, ({ blueprint }) => (blueprint.settings as { entityId: string }).entityId)
  for (const [entityId, sharing] of byEntity) {
    for (const file of sharing.length > 1 ? sharing : []) {
      const others = sharing.filter(other => other !== file).map(other => other.source.file)
      findings.report(
        file,
        ['entityId'],
        `"${entityId}" leads to one connection only, and ${others.join(' and ')} ${others.length === 1 ? 'has' : 'have'} it too`,
      )
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
