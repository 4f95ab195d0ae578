import { trustAnchorsOf } from '../certificates/trust-anchor-settings.ts'
import { ClientAuthenticator } from '../clients/client-authenticator.ts'
import { DpopProofs } from '../dpop/dpop-proofs.ts'
import { issuerOf } from '../generators/token-generator.ts'
import { BearerToken } from '../http/bearer.ts'
import { Callers } from '../http/caller.ts'
import { documentsOf, endpoint } from '../http/documents.ts'
import type { Keeping } from '../kept.ts'
import type { Outside } from '../outside.ts'
import { groupTarget, managerTarget, type Target } from '../policies/target.ts'
import { TargetIndex } from '../policies/target-index.ts'
import type { Server } from '../server.ts'
import type { TlsMaterial } from '../tls/tls-context.ts'
import type { Built } from './build.ts'
import type { ParsedFile } from './parse.ts'
import type { ServerSettings } from './server-file.ts'
import { type ExternalText, Reference } from './values.ts'

interface Pieces {
  readonly settings: ServerSettings
  readonly built: Built
  readonly files: readonly ParsedFile[]
  readonly texts: ReadonlyMap<ExternalText, string>
  readonly version: string
  readonly outside: Outside
  readonly kept: Keeping
}

/** Puts the built files of a configuration without problems together into a server. */
export function assemble(pieces: Pieces): Server {
  const { settings, built, version, outside, kept } = pieces
  const { issuer, defaults, delegation } = settings
  const managers = built['access-token-managers']
  const policies = built['processor-policies']
  const targets = [...[...managers.values()].map(managerTarget), ...[...built['generator-groups'].values()].map(groupTarget)]
  return Object.freeze({
    issuer,
    tokenEndpoint: endpoint(issuer, 'token'),
    version,
    clients: built.clients,
    authenticator: new ClientAuthenticator({ clients: built.clients, issuer, outside, kept }),
    dpop: new DpopProofs(settings.dpop, tokenAddresses(settings), outside),
    callers: callersOf(pieces),
    defaults: {
      policy: defaults.processorPolicy && policies.get(defaults.processorPolicy.id),
      accessTokenManager: defaults.accessTokenManager?.id,
      generatorGroup: defaults.generatorGroup?.id,
    },
    accessTokenManagers: managers,
    targets: indexOf(targets),
    connections: built['idp-connections'],
    policies,
    dataStores: built['data-stores'],
    generatorIssuers: new Set([...built['token-generators'].values()].flatMap(each => issuerOf(each) ?? [])),
    introspectionSigner: introspectionKeys(pieces)?.active,
    maxActorDepth: delegation.maxDepth,
    longestLifetime: Math.max(0, ...[...managers.values()].map(manager => manager.lifetime)),
    documents: documentsOf({
      issuer,
      scopes: Object.keys(settings.scopes),
      policies: policies.values(),
      targets,
      generators: [...built['token-generators'].values()],
      keys: publishedKeys(pieces),
      certificates: certificatesOf(settings),
      introspectionSigner: introspectionKeys(pieces)?.active,
      dpopAlgorithms: settings.dpop.algorithms,
    }),
    metrics: metricsOf(pieces),
    admin: adminOf(pieces),
    tls: tlsOf(pieces),
    outside,
  })
}

/** Every address of the token endpoint that the metadata name. */
function tokenAddresses({ issuer, listen }: ServerSettings): readonly string[] {
  return [issuer, listen.mtlsAddress].flatMap(address => (address === undefined ? [] : [endpoint(address, 'token')]))
}

function metricsOf({ settings: { metrics }, texts }: Pieces): Server['metrics'] {
  const bearer = metrics.bearer && texts.get(metrics.bearer)
  return metrics.enabled ? { bearer: bearer === undefined ? undefined : new BearerToken(bearer) } : undefined
}

function adminOf({ settings: { admin }, texts }: Pieces): Server['admin'] {
  const bearer = admin && texts.get(admin.bearer)
  return bearer === undefined ? undefined : { bearer: new BearerToken(bearer) }
}

function certificatesOf({ listen }: ServerSettings): { readonly address: string | undefined } | undefined {
  const isTaken = listen.tls?.clientCertificates !== undefined || listen.proxies?.clientCertificate !== undefined
  return isTaken ? { address: listen.mtlsAddress } : undefined
}

function callersOf({ settings: { listen }, texts, outside }: Pieces): Callers {
  const { proxies } = listen
  const trusted = (anchors: readonly ExternalText[] | undefined) => anchors && trustAnchorsOf(anchors, texts)
  const [ofTls, ofProxies] = [listen.tls?.clientCertificates, proxies?.clientCertificate]
  return new Callers({
    proxies,
    byTls: ofTls && { trust: trusted(ofTls.trustAnchors) },
    byProxy: ofProxies && { trust: trusted(ofProxies.trustAnchors) ?? 'proxy' },
    onNotBelieved: outside.onNotBelieved,
  })
}

function tlsOf({ settings: { listen }, texts }: Pieces): TlsMaterial | undefined {
  if (listen.tls === undefined) return undefined
  const { certificate, privateKey, clientCertificates } = listen.tls
  const text = (external: ExternalText) => texts.get(external) ?? ''
  return {
    certificate: text(certificate),
    privateKey: text(privateKey),
    clientCertificates: clientCertificates?.request ?? 'not requested',
    authorities: clientCertificates?.trustAnchors?.map(text) ?? [],
  }
}

function indexOf(targets: readonly Target[]): TargetIndex {
  const index = new TargetIndex()
  for (const target of targets) index.add(target)
  return index
}

function introspectionKeys({ built, settings: { introspection } }: Pieces) {
  return introspection && built.keyLines.signing.get(introspection.signingKey.id)
}

/** The keys that access token managers and answers of introspection are signed with, in all their lines, each once. */
function publishedKeys(pieces: Pieces) {
  const { built, files } = pieces
  const named = files
    .filter(({ source }) => source.kind === 'access-token-managers')
    .map(({ blueprint }) => (blueprint.settings as { signingKey?: unknown }).signingKey)
    .filter(key => key instanceof Reference)
  const keys = named.flatMap(({ id }) => built.keyLines.signing.get(id)?.published ?? [])
  const all = [...keys, ...(introspectionKeys(pieces)?.published ?? [])]
  return [...new Map(all.map(key => [key.kid, key])).values()]
}
