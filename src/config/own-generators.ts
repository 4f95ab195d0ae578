import { issuerOf } from '../generators/token-generator.ts'
import type { Built } from './build.ts'
import type { Findings } from './findings.ts'
import type { ParsedFile } from './parse.ts'

/** Warns of processors that take what generators of this server make, which comes back in as somebody else's token (docs/warnings.md). */
export function warnOfOwnGenerators(files: readonly ParsedFile[], built: Built, findings: Findings): void {
  const generators = [...built['token-generators'].values()]
  for (const file of files) {
    if (file.source.kind !== 'token-processors') continue
    const trusted = built['token-processors'].get(file.source.id)?.issuers ?? []
    for (const issuer of trusted) {
      const generator = generators.find(each => issuerOf(each) === issuer)
      if (generator === undefined) continue
      const message = `takes the tokens of "${generator.id}" of this server, which cannot be revoked and carry no scope`
      findings.warn(file, 'own-generator-trusted', pathOf(file, issuer), message)
    }
  }
}

/** Where the file names the issuer: an entry of `issuers`, or its only one. */
function pathOf({ blueprint }: ParsedFile, issuer: string): Array<string | number> {
  const { issuers } = blueprint.settings as { issuers?: unknown }
  // In a plug-in's file the member may be anything.
  const entries: ReadonlyArray<{ issuer?: string; entityId?: string } | null> = Array.isArray(issuers) ? issuers : []
  const index = entries.findIndex(each => each?.issuer === issuer || each?.entityId === issuer)
  return index < 0 ? ['issuer'] : ['issuers', index]
}
