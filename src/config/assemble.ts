import { ClientAuthenticator } from '../clients/client-authenticator.ts'
import { documentsOf, endpoint } from '../http/documents.ts'
import type { Outside } from '../outside.ts'
import { TargetIndex } from '../policies/target-index.ts'
import type { Server } from '../server.ts'
import type { Built } from './build.ts'
import { fileOf } from './folders.ts'
import type { ParsedFile } from './parse.ts'
import { type Path, type Problem, placeOf } from './problems.ts'
import type { ServerSettings } from './server-file.ts'

interface Pieces {
  readonly settings: ServerSettings
  readonly built: Built
  readonly files: readonly ParsedFile[]
  readonly version: string
  readonly outside: Outside
  readonly report: (problem: Problem) => void
}

/** Puts the built files together into a server, and reports what is wrong between them. */
export function assemble(pieces: Pieces): Server {
  const { settings, built, version, outside } = pieces
  const { issuer, defaults, delegation } = settings
  const managers = built['access-token-managers']
  const policies = built['processor-policies']
  return Object.freeze({
    issuer,
    tokenEndpoint: endpoint(issuer, 'token'),
    version,
    clients: built.clients,
    authenticator: new ClientAuthenticator({ clients: built.clients, issuer, outside }),
    defaults: {
      policy: defaults.processorPolicy && policies.get(defaults.processorPolicy.id),
      accessTokenManager: defaults.accessTokenManager?.id,
    },
    accessTokenManagers: managers,
    targets: indexTargets(pieces),
    maxActorDepth: delegation.maxDepth,
    longestLifetime: Math.max(0, ...[...managers.values()].map(manager => manager.lifetime)),
    documents: documentsOf({
      issuer,
      scopes: Object.keys(settings.scopes),
      policies: policies.values(),
      accessTokenManagers: managers.values(),
      keys: publishedKeys(pieces),
    }),
    outside,
  })
}

// Two targets that claim one name: reported at every file that takes part, because either may be the mistake.
function indexTargets({ built, files, report }: Pieces): TargetIndex {
  const index = new TargetIndex()
  for (const manager of built['access-token-managers'].values()) {
    for (const { name, owner } of index.claim(manager.id, manager.resources, manager.audiences)) {
      for (const [id, other] of [
        [manager.id, owner],
        [owner, manager.id],
      ] as const) {
        const problem = clash(files, id, other, name)
        if (problem !== undefined) report(problem)
      }
    }
  }
  return index
}

function clash(files: readonly ParsedFile[], id: string, other: string, name: string): Problem | undefined {
  const file = files.find(({ source }) => source.kind === 'access-token-managers' && source.id === id)
  if (file === undefined) return undefined
  const { resources = [], audiences = [] } = file.blueprint.settings as { resources?: string[]; audiences?: string[] }
  const path: Path = resources.includes(name) ? ['resources', resources.indexOf(name)] : ['audiences', audiences.indexOf(name)]
  return {
    place: placeOf(file.source.file, file.source.text, path),
    message: `${fileOf('access-token-managers', other)} claims "${name}" too`,
  }
}

/** The keys that `jwt` access token managers sign with, in all their lines, each once. */
function publishedKeys({ built, files }: Pieces) {
  const named = files
    .filter(({ source, blueprint }) => source.kind === 'access-token-managers' && 'signingKey' in blueprint.settings)
    .map(({ blueprint }) => (blueprint.settings as { signingKey: { id: string } }).signingKey.id)
  const keys = named.flatMap(id => built.keyLines.signing.get(id)?.published ?? [])
  return [...new Map(keys.map(key => [key.kid, key])).values()]
}
