import { digestSecret } from '../clients/secrets.ts'
import type { Findings } from './findings.ts'
import { findInstances } from './link.ts'
import type { ParsedFile } from './parse.ts'
import { ExternalText } from './values.ts'

const fewest = 16

/** Reports bearer tokens of `server.json` that could be guessed, that open more than one door, and whatever does not fit into a header. */
export function reportBearerTokens(files: readonly ParsedFile[], texts: ReadonlyMap<ExternalText, string>, findings: Findings): void {
  const server = files.find(({ source }) => source.kind === 'server')
  if (server === undefined) return
  const bearers = new Set<string>()
  const secrets = secretsOfClients(files, texts)
  for (const [path, external] of findInstances(server.blueprint.settings, ExternalText)) {
    const text = texts.get(external)
    if (text === undefined) continue
    const problem =
      path.at(-1) === 'bearer'
        ? (problemOfBearer(text, bearers) ?? problemOfSecret(text, secrets))
        : path.includes('headers')
          ? problemOfHeader(text)
          : undefined
    if (problem !== undefined) findings.report(server, path, problem)
    if (path.at(-1) === 'bearer') bearers.add(text)
  }
}

function problemOfBearer(token: string, others: ReadonlySet<string>): string | undefined {
  if (token.length < fewest) return `a bearer token has at least ${fewest} characters`
  if (!/^[\x21-\x7e]+$/.test(token)) return 'a bearer token has visible ASCII characters only'
  // Whoever collects numbers is not to read what requests become.
  return others.has(token) ? 'is the same token for metrics and for administrators: let each have one of its own' : undefined
}

// A client is not to ask what becomes of the requests of others.
function problemOfSecret(token: string, secrets: ReadonlyMap<string, string>): string | undefined {
  const client = secrets.get(token) ?? secrets.get(digestSecret(token).text)
  return client === undefined ? undefined : `is the secret of ${client} too: let each have one of its own`
}

/** The files of clients by their secrets, which may stand there as hashes. Those that take time to try are not tried. */
function secretsOfClients(files: readonly ParsedFile[], texts: ReadonlyMap<ExternalText, string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const { source, blueprint } of files.filter(file => file.source.kind === 'clients')) {
    const { authentication = {} } = blueprint.settings as { authentication?: { secrets?: ReadonlyArray<{ hash?: unknown }> } }
    for (const [, external] of findInstances(authentication, ExternalText)) found.set(texts.get(external) ?? '', source.file)
    for (const { hash } of authentication.secrets ?? []) if (typeof hash === 'string') found.set(hash, source.file)
  }
  return found
}

// It would be refused by the library that sends, each time.
function problemOfHeader(text: string): string | undefined {
  return /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/.test(text) ? undefined : 'a header has visible ASCII characters and spaces only'
}
