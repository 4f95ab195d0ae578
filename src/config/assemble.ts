import { ClientAuthenticator } from '../clients/client-authenticator.ts'
import { documentsOf, endpoint } from '../http/documents.ts'
import type { Outside } from '../outside.ts'
import { groupTarget, managerTarget, type Target } from '../policies/target.ts'
import { TargetIndex } from '../policies/target-index.ts'
import type { Server } from '../server.ts'
import type { Built } from './build.ts'
import { fileOf } from './folders.ts'
import { findInstances } from './link.ts'
import type { ParsedFile } from './parse.ts'
import { type Path, type Problem, placeOf } from './problems.ts'
import type { ServerSettings } from './server-file.ts'
import { Reference } from './values.ts'

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
  reportUnreachableGenerators(pieces)
  return Object.freeze({
    issuer,
    tokenEndpoint: endpoint(issuer, 'token'),
    version,
    clients: built.clients,
    authenticator: new ClientAuthenticator({ clients: built.clients, issuer, outside }),
    defaults: {
      policy: defaults.processorPolicy && policies.get(defaults.processorPolicy.id),
      accessTokenManager: defaults.accessTokenManager?.id,
      generatorGroup: defaults.generatorGroup?.id,
    },
    accessTokenManagers: managers,
    targets: indexTargets(pieces),
    maxActorDepth: delegation.maxDepth,
    longestLifetime: Math.max(0, ...[...managers.values()].map(manager => manager.lifetime)),
    documents: documentsOf({
      issuer,
      scopes: Object.keys(settings.scopes),
      policies: policies.values(),
      targets: targetsOf(built),
      generators: [...built['token-generators'].values()],
      keys: publishedKeys(pieces),
    }),
    outside,
  })
}

function targetsOf(built: Built): Target[] {
  const managers = [...built['access-token-managers'].values()].map(managerTarget)
  return [...managers, ...[...built['generator-groups'].values()].map(groupTarget)]
}

// Two targets that claim one name: reported at every file that takes part, because either may be the mistake.
function indexTargets(pieces: Pieces): TargetIndex {
  const index = new TargetIndex()
  for (const target of targetsOf(pieces.built)) {
    for (const { name, owner } of index.add(target)) {
      reportClash(pieces, target, owner, name)
      reportClash(pieces, owner, target, name)
    }
  }
  return index
}

const kindOf = { 'access-token-manager': 'access-token-managers', 'generator-group': 'generator-groups' } as const

function reportClash({ files, report }: Pieces, target: Target, other: Target, name: string): void {
  const file = files.find(({ source }) => source.kind === kindOf[target.kind] && source.id === target.id)
  if (file === undefined) return
  const path: Path = target.resources.includes(name)
    ? ['resources', target.resources.indexOf(name)]
    : ['audiences', target.audiences.indexOf(name)]
  report({
    place: placeOf(file.source.file, file.source.text, path),
    message: `${fileOf(kindOf[other.kind], other.id)} claims "${name}" too`,
  })
}

// A generator that is in no group can never be selected by a request.
function reportUnreachableGenerators({ files, report }: Pieces): void {
  const reachable = new Set(
    files.filter(({ source }) => source.kind === 'generator-groups').flatMap(file => generatorsIn(file).map(([, { id }]) => id)),
  )
  for (const file of files.filter(({ source }) => source.kind === 'processor-policies')) {
    for (const [path, { id }] of generatorsIn(file)) {
      if (reachable.has(id)) continue
      report({
        place: placeOf(file.source.file, file.source.text, path),
        message: `is never reached: no generator group has the token generator "${id}"`,
      })
    }
  }
}

function generatorsIn({ blueprint }: ParsedFile): Array<[Path, Reference]> {
  return findInstances(blueprint.settings, Reference).filter(([, { kind }]) => kind === 'token-generators')
}

/** The keys that `jwt` access token managers sign with, in all their lines, each once. */
function publishedKeys({ built, files }: Pieces) {
  const named = files
    .filter(({ source, blueprint }) => source.kind === 'access-token-managers' && 'signingKey' in blueprint.settings)
    .map(({ blueprint }) => (blueprint.settings as { signingKey: { id: string } }).signingKey.id)
  const keys = named.flatMap(id => built.keyLines.signing.get(id)?.published ?? [])
  return [...new Map(keys.map(key => [key.kid, key])).values()]
}
