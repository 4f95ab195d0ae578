import { endpoint } from '../http/documents.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { Built } from './build.ts'
import type { Findings } from './findings.ts'
import { findInstances } from './link.ts'
import type { ParsedFile } from './parse.ts'
import type { Path } from './problems.ts'
import { isLoopback, type ServerSettings } from './server-file.ts'
import { editDistance } from './suggest.ts'
import { Reference } from './values.ts'

/** Warns of what is legal and dangerous in `server.json`, and of what its defaults leave undone (docs/warnings.md). */
export function warnOfServer(settings: ServerSettings, files: readonly ParsedFile[], built: Built, findings: Findings): void {
  const server = files.find(({ source }) => source.kind === 'server')
  if (server === undefined) return
  const warn = (code: string, path: Path, message: string) => findings.warn(server, code, path, message)
  if (settings.store.type === 'memory')
    warn('memory-store', ['store', 'type'], 'revocations and tokens that were used once are forgotten when the server stops')
  if (settings.admin !== undefined && !isLoopback(settings.admin.listen.host) && !settings.admin.listen.tls)
    warn('admin-in-public', ['admin', 'listen', 'host'], 'explanations are given to other machines, without TLS')
  if (settings.tracing !== undefined && sendsInClear(settings.tracing))
    warn('tracing-unencrypted', ['tracing', 'otlp'], 'the headers that the collector wants can be read on the way: send them by https')
  if (settings.sample && !isLoopback(settings.listen.host))
    warn(
      'sample-in-public',
      ['sample'],
      'the sample configuration answers other machines, and trusts tokens that anybody with its files can mint',
    )
  const { processorPolicy, accessTokenManager, generatorGroup } = settings.defaults
  const policies = [...built['processor-policies'].values()]
  for (const [member, name] of Object.entries({ accessTokenManager, generatorGroup })) {
    if (name !== undefined && !policies.some(policy => issuesTo(policy, name, built)))
      warn('unreachable-target', ['defaults', member], `can never be issued: no policy issues anything to "${name.id}"`)
  }
  warnOfAudiences(settings, files, findings)
  warnOfClients(processorPolicy && built['processor-policies'].get(processorPolicy.id), files, built, findings)
}

function sendsInClear({ otlp, headers }: NonNullable<ServerSettings['tracing']>): boolean {
  const { protocol, hostname } = new URL(otlp)
  return protocol === 'http:' && !isLoopback(hostname) && Object.keys(headers).length > 0
}

/** Whether the policy issues to the access token manager, or to a generator of the group. */
function issuesTo(policy: ProcessorPolicy, { kind, id }: Reference, built: Built): boolean {
  const manager = built['access-token-managers'].get(id)
  if (kind === 'access-token-managers') return manager !== undefined && policy.issues.has(manager)
  return [...(built['generator-groups'].get(id)?.generators.values() ?? [])].some(generator => policy.issues.has(generator))
}

/** An audience that is one letter, or a slash at its end, away from this server's own name: tokens for this server would be refused. */
function warnOfAudiences({ issuer }: ServerSettings, files: readonly ParsedFile[], findings: Findings): void {
  const own = [issuer, endpoint(issuer, 'token')]
  for (const file of files.filter(({ source }) => source.kind === 'token-processors')) {
    const { audiences = [] } = file.blueprint.settings as { audiences?: readonly string[] }
    for (const [index, audience] of audiences.entries()) {
      const meant = own.includes(audience) ? undefined : own.find(name => editDistance(name, audience) === 1)
      if (meant !== undefined) findings.warn(file, 'audience-near-miss', ['audiences', index], `is nearly, but not exactly, "${meant}"`)
    }
  }
}

interface Exchanging {
  readonly tokenExchange: { readonly enabled: boolean; readonly processorPolicy?: Reference }
}

// What a client's own policy leaves out is seen when the client is built; here are those that rely on the default.
function warnOfClients(policy: ProcessorPolicy | undefined, files: readonly ParsedFile[], built: Built, findings: Findings): void {
  for (const file of files) {
    if (file.source.kind !== 'clients') continue
    const { enabled, processorPolicy, ...targets } = (file.blueprint.settings as Exchanging).tokenExchange
    if (!enabled || processorPolicy !== undefined) continue
    if (policy === undefined) {
      const message = 'can exchange nothing: neither "processorPolicy" here nor "defaults" of server.json names a policy'
      findings.warn(file, 'no-policy', ['tokenExchange'], message)
      continue
    }
    for (const [path, name] of findInstances(targets, Reference)) {
      if (issuesTo(policy, name, built)) continue
      const message = `can never be issued: the default policy "${policy.id}" issues nothing to "${name.id}"`
      findings.warn(file, 'unreachable-target', ['tokenExchange', ...path], message)
    }
  }
}
