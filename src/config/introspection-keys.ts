import type { Built } from './build.ts'
import type { Findings } from './findings.ts'
import type { ParsedFile } from './parse.ts'
import type { ServerSettings } from './server-file.ts'

interface Introspecting {
  readonly introspection: { readonly signed: boolean; readonly encryption?: unknown }
}

/** Reports a key of `server.json` that cannot sign answers of introspection, and clients that are to be answered so where nobody signs. */
export function reportUnsignedAnswers(settings: ServerSettings, files: readonly ParsedFile[], built: Built, findings: Findings): void {
  const { introspection } = settings
  if (introspection !== undefined) reportMisfit(introspection.signingKey.id, files, built, findings)
  else reportClients(files, findings)
}

function reportMisfit(id: string, files: readonly ParsedFile[], { keyLines }: Built, findings: Findings): void {
  const server = files.find(({ source }) => source.kind === 'server')
  if (server === undefined || !keyLines.decryption.has(id)) return
  findings.report(server, ['introspection', 'signingKey'], `the key "${id}" does not fit: it decrypts, and a key that signs is needed`)
}

function reportClients(files: readonly ParsedFile[], findings: Findings): void {
  for (const file of files.filter(({ source }) => source.kind === 'clients')) {
    const { signed, encryption } = (file.blueprint.settings as Introspecting).introspection
    const member = encryption === undefined ? 'signed' : 'encryption'
    if (signed || encryption !== undefined)
      findings.report(file, ['introspection', member], 'nobody signs such answers: "introspection" of server.json names no signing key')
  }
}
