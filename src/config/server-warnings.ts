import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { Built } from './build.ts'
import type { Findings } from './findings.ts'
import type { ParsedFile } from './parse.ts'
import type { Path } from './problems.ts'
import { isLoopback, type ServerSettings } from './server-file.ts'
import type { Reference } from './values.ts'

/** Warns of what is legal and dangerous in `server.json`, and of what its defaults leave undone (docs/warnings.md). */
export function warnOfServer(settings: ServerSettings, files: readonly ParsedFile[], built: Built, findings: Findings): void {
  const server = files.find(({ source }) => source.kind === 'server')
  if (server === undefined) return
  const warn = (code: string, path: Path, message: string) => findings.warn(server, code, path, message)
  if (settings.store.type === 'memory')
    warn('memory-store', ['store', 'type'], 'revocations and tokens that were used once are forgotten when the server stops')
  if (settings.sample && !isLoopback(settings.listen.host))
    warn(
      'sample-in-public',
      ['sample'],
      'the sample configuration answers other machines, and trusts tokens that anybody with its files can mint',
    )
  const { processorPolicy, accessTokenManager } = settings.defaults
  const policies = built['processor-policies']
  if (accessTokenManager !== undefined && ![...policies.values()].some(policy => policy.issues.has(accessTokenManager.id)))
    warn(
      'unreachable-target',
      ['defaults', 'accessTokenManager'],
      `can never be issued: no policy issues anything to "${accessTokenManager.id}"`,
    )
  warnOfClients(processorPolicy && policies.get(processorPolicy.id), files, findings)
}

interface Exchanging {
  readonly tokenExchange: {
    readonly enabled: boolean
    readonly processorPolicy?: Reference
    readonly accessTokenManagers?: readonly Reference[]
    readonly default?: { readonly accessTokenManager?: Reference }
  }
}

// What a client's own policy leaves out is seen when the client is built; here are those that rely on the default.
function warnOfClients(policy: ProcessorPolicy | undefined, files: readonly ParsedFile[], findings: Findings): void {
  for (const file of files) {
    if (file.source.kind !== 'clients') continue
    const { enabled, processorPolicy, accessTokenManagers = [], default: chosen } = (file.blueprint.settings as Exchanging).tokenExchange
    if (!enabled || processorPolicy !== undefined) continue
    if (policy === undefined) {
      const message = 'can exchange nothing: neither "processorPolicy" here nor "defaults" of server.json names a policy'
      findings.warn(file, 'no-policy', ['tokenExchange'], message)
      continue
    }
    const named: Array<[Path, Reference]> = accessTokenManagers.map((manager, index) => [
      ['tokenExchange', 'accessTokenManagers', index],
      manager,
    ])
    if (chosen?.accessTokenManager !== undefined)
      named.push([['tokenExchange', 'default', 'accessTokenManager'], chosen.accessTokenManager])
    for (const [path, { id }] of named) {
      if (!policy.issues.has(id))
        findings.warn(file, 'unreachable-target', path, `can never be issued: the default policy "${policy.id}" issues nothing to "${id}"`)
    }
  }
}
