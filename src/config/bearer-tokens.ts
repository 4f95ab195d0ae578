import type { Findings } from './findings.ts'
import { findInstances } from './link.ts'
import type { ParsedFile } from './parse.ts'
import { ExternalText } from './values.ts'

const fewest = 16

/** Reports bearer tokens of `server.json` that could be guessed, or that do not fit into a header. */
export function reportBearerTokens(files: readonly ParsedFile[], texts: ReadonlyMap<ExternalText, string>, findings: Findings): void {
  const server = files.find(({ source }) => source.kind === 'server')
  if (server === undefined) return
  for (const [path, external] of findInstances(server.blueprint.settings, ExternalText)) {
    const token = texts.get(external)
    if (path.at(-1) !== 'bearer' || token === undefined) continue
    if (token.length < fewest) findings.report(server, path, `a bearer token has at least ${fewest} characters`)
    else if (!/^[\x21-\x7e]+$/.test(token)) findings.report(server, path, 'a bearer token has visible ASCII characters only')
  }
}
