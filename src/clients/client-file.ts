import { z } from 'zod'
import { buildTrustAnchors, trustAnchorSettings } from '../certificates/trust-anchor-settings.ts'
import type { Path } from '../config/problems.ts'
import { didYouMean } from '../config/suggest.ts'
import { distinct, everyFile, type Reference, reference, scopeName, strict } from '../config/values.ts'
import { keySourceShape, namesOneSource, openKeySource } from '../keys/key-source.ts'
import { openRecipient, recipientSettings } from '../keys/open-recipient.ts'
import { signatureAlgorithms } from '../keys/signing-key.ts'
import type { Blueprint, Parts } from '../plugin.ts'
import { bindingSettings } from '../policies/binding.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import { groupTarget, managerTarget, type Target } from '../policies/target.ts'
import { identityOf, identityShape, namesOneIdentity, oneIdentityMessage } from './certificate-identity.ts'
import type { Client, ClientAuthentication, ClientIntrospection, ClientTokenExchange } from './client.ts'
import { certificateSourceShape, namesOneCertificateSource, openRegisteredCertificates } from './registered-certificates.ts'
import { buildSecret, secretSettings } from './secret-settings.ts'

const bySecret = {
  secrets: distinct(secretSettings).min(1).meta({ description: 'Each is good: two while one replaces the other' }),
}
const { jwksUri, jwks, maxStale, allowPrivateNetwork } = keySourceShape

const methods = [
  strict({ method: z.literal('client_secret_basic'), ...bySecret }),
  strict({ method: z.literal('client_secret_post'), ...bySecret }),
  strict({
    method: z.literal('private_key_jwt'),
    algorithms: distinct(z.enum(signatureAlgorithms))
      .min(1)
      .default([...signatureAlgorithms])
      .meta({ description: 'Accepted signature algorithms; a key without "alg" is used with the first that fits it' }),
    ...{ jwksUri, jwks, maxStale, allowPrivateNetwork },
  }).refine(namesOneSource, 'expected exactly one of "jwksUri" and "jwks"'),
  strict({
    method: z.literal('tls_client_auth'),
    ...identityShape,
    trustAnchors: trustAnchorSettings.optional().meta({
      description: 'The certificates (PEM) of the authorities that this client has its certificate from (default: those of server.json)',
    }),
  }).refine(namesOneIdentity, oneIdentityMessage),
  strict({ method: z.literal('self_signed_tls_client_auth'), ...certificateSourceShape }).refine(
    namesOneCertificateSource,
    'expected exactly one of "certificates", "jwksUri" and "jwks"',
  ),
] as const

const methodNames = methods.map(({ shape }) => shape.method.value)

const authentication = z
  .discriminatedUnion('method', methods, { error: issue => (issue.code === 'invalid_union' ? methodProblem(issue.input) : undefined) })
  .meta({ description: 'How the client proves who it is: by exactly one method' })

const managerReference = reference('access-token-managers')
const groupReference = reference('generator-groups')

const tokenExchange = strict({
  enabled: z.boolean().default(false).meta({ description: 'Whether the client may exchange tokens' }),
  processorPolicy: reference('processor-policies').optional().meta({ description: "Absent: the server's default" }),
  accessTokenManagers: distinct(managerReference)
    .optional()
    .meta({ description: 'The managers whose tokens it may be issued; absent: all that the policy issues to' }),
  generatorGroups: distinct(groupReference)
    .optional()
    .meta({ description: 'The generator groups whose tokens it may be issued; absent: all that the policy issues to' }),
  default: strict({ accessTokenManager: managerReference.optional(), generatorGroup: groupReference.optional() })
    .default({})
    .meta({ description: 'What it is issued when it names no target' }),
  binding: bindingSettings,
})

const wsTrust = strict({
  enabled: z.boolean().default(false).meta({ description: 'Whether the client may call the security token service (WS-Trust)' }),
  connections: distinct(reference('idp-connections')).default([]).meta({ description: 'The IdP connections that it may use there' }),
})
  .refine(({ enabled, connections }) => !enabled || connections.length > 0, { error: 'needs at least one entry', path: ['connections'] })
  .meta({ description: 'What it may do by WS-Trust' })

const names = distinct(z.string().min(1)).default([])

const clientSettings = strict({
  ...everyFile,
  enabled: z.boolean().default(true).meta({ description: 'Whether it may do anything at all' }),
  authentication,
  tokenExchange: tokenExchange.prefault({}).meta({ description: 'Whether and how it may exchange tokens' }),
  introspection: strict({
    enabled: z.boolean().default(false).meta({ description: 'Off unless it is true' }),
    signed: z.boolean().default(false).meta({ description: 'Whether it is answered by signed JWTs only (RFC 9701)' }),
    encryption: recipientSettings.optional().meta({ description: 'For whom the signed answers are encrypted; with it, it gets no others' }),
  })
    .prefault({})
    .meta({ description: 'Whether it may ask what tokens mean' }),
  wsTrust: wsTrust.prefault({}),
  audiences: names.meta({ description: 'Names by which it is addressed as a resource server' }),
  scopes: distinct(scopeName).default([]).meta({ description: 'The scopes that it may ask for; server.json lists them' }),
  properties: z.record(z.string(), z.json()).default({}).meta({ description: 'What expressions read as context.client' }),
})
type ClientSettings = z.output<typeof clientSettings>

/** `clients/<client id>.json`: one OAuth client, how it authenticates and what it may do. */
export const clientFile: z.ZodType<Blueprint<Client>> = clientSettings.transform(settings => ({
  type: 'client',
  settings,
  build: (parts: Parts) => buildClient(settings, parts),
}))

async function buildClient(settings: ClientSettings, parts: Parts): Promise<Client> {
  // RFC 6749 Appendix A.1; a space or a letter beyond ASCII is encoded in as many ways as there are libraries.
  if (!/^[\x21-\x7e]+$/.test(parts.id)) parts.problem([], 'the name of the file is no client id: use visible ASCII characters only')
  const { enabled, audiences, properties, wsTrust, tokenExchange } = settings
  if (wsTrust.enabled && tokenExchange.binding === 'dpop')
    parts.warn(
      'unreachable-target',
      ['wsTrust', 'connections'],
      'no token is ever issued here: "tokenExchange.binding" wants a DPoP proof, and WS-Trust has none',
    )
  return {
    id: parts.id,
    enabled,
    authentication: await buildAuthentication(settings.authentication, parts),
    tokenExchange: buildTokenExchange(tokenExchange, parts),
    introspection: await buildIntrospection(settings.introspection, parts),
    wsTrust: { enabled: wsTrust.enabled, connections: new Set(wsTrust.connections.map(({ id }) => id)) },
    audiences,
    scopes: settings.scopes.map(({ name }) => name),
    properties,
  }
}

async function buildIntrospection(settings: ClientSettings['introspection'], parts: Parts): Promise<ClientIntrospection> {
  const { enabled, signed, encryption } = settings
  const recipient = encryption && (await openRecipient(encryption, parts, ['introspection', 'encryption']))
  return { enabled, signedOnly: signed || recipient !== undefined, recipient }
}

async function buildAuthentication(settings: ClientSettings['authentication'], parts: Parts): Promise<ClientAuthentication> {
  const { method } = settings
  if (method === 'private_key_jwt') {
    const keys = openKeySource(parts.id, settings, { algorithms: settings.algorithms }, parts, ['authentication'])
    return { method, algorithms: new Set(settings.algorithms), keys }
  }
  if (method === 'tls_client_auth') {
    const anchors = settings.trustAnchors && buildTrustAnchors(settings.trustAnchors, parts, ['authentication', 'trustAnchors'])
    return { method, identity: identityOf(settings), anchors }
  }
  if (method === 'self_signed_tls_client_auth')
    return { method, certificates: openRegisteredCertificates(settings, parts, ['authentication']) }
  warnOfEnds(settings.secrets, parts)
  const secrets = settings.secrets.map((secret, index) => buildSecret(secret, parts, ['authentication', 'secrets', index]))
  return { method, secrets: await Promise.all(secrets) }
}

const secondsOfWarning = 30 * 86_400

/** A client is locked out when the last of its secrets ends; that earlier ones do is how one replaces another. */
function warnOfEnds(secrets: ReadonlyArray<{ readonly until?: string | undefined }>, parts: Parts): void {
  const ends = secrets.map(({ until }) => (until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until) / 1000))
  const end = Math.max(...ends)
  const path = ['authentication', 'secrets', ends.indexOf(end), 'until']
  const now = parts.outside.now()
  if (end <= now) parts.warn('secret-expired', path, 'no secret of this client is good any more: it cannot authenticate')
  else if (end <= now + secondsOfWarning) {
    const day = new Date(end * 1000).toISOString().slice(0, 10)
    parts.warn('secret-expires', path, `the last secret of this client ends on ${day}; put the next one beside it`)
  }
}

function buildTokenExchange(settings: ClientSettings['tokenExchange'], parts: Parts): ClientTokenExchange {
  const policy = settings.processorPolicy && parts.processorPolicy(settings.processorPolicy)
  const { accessTokenManagers, generatorGroups, default: chosen } = settings
  const managerOf = (name: Reference) => managerTarget(parts.accessTokenManager(name))
  const groupOf = (name: Reference) => groupTarget(parts.generatorGroup(name))
  for (const [name, path] of namesOf('accessTokenManagers', accessTokenManagers, 'accessTokenManager', chosen.accessTokenManager))
    reportIfUnreachable(managerOf(name), policy, path, parts)
  for (const [name, path] of namesOf('generatorGroups', generatorGroups, 'generatorGroup', chosen.generatorGroup))
    reportIfUnreachable(groupOf(name), policy, path, parts)
  reportUnlisted(accessTokenManagers, 'accessTokenManagers', chosen.accessTokenManager, 'accessTokenManager', parts)
  reportUnlisted(generatorGroups, 'generatorGroups', chosen.generatorGroup, 'generatorGroup', parts)
  return {
    enabled: settings.enabled,
    policy,
    accessTokenManagers: accessTokenManagers && new Set(accessTokenManagers.map(({ id }) => id)),
    generatorGroups: generatorGroups && new Set(generatorGroups.map(({ id }) => id)),
    binding: settings.binding,
    default: { accessTokenManager: chosen.accessTokenManager?.id, generatorGroup: chosen.generatorGroup?.id },
  }
}

function namesOf(list: string, listed: readonly Reference[] = [], member: string, chosen: Reference | undefined): Array<[Reference, Path]> {
  const names = listed.map((name, index): [Reference, Path] => [name, ['tokenExchange', list, index]])
  return chosen === undefined ? names : [...names, [chosen, ['tokenExchange', 'default', member]]]
}

function reportIfUnreachable(target: Target, policy: ProcessorPolicy | undefined, path: Path, parts: Parts): void {
  const issuing = policy === undefined || target.makers.some(maker => policy.issues.has(maker))
  if (!issuing) parts.warn('unreachable-target', path, `can never be issued: the policy "${policy.id}" issues nothing to "${target.id}"`)
  if (target.clients?.enforced !== true || target.clients.allow.has(parts.id)) return
  const message = `can never be issued: "clients" of "${target.id}" does not list this client`
  // A list may say more than is true. A default that is kept from the client contradicts itself.
  if (path.includes('default')) parts.problem(path, message)
  else parts.warn('unreachable-target', path, message)
}

function reportUnlisted(
  listed: readonly Reference[] | undefined,
  list: string,
  chosen: Reference | undefined,
  member: string,
  parts: Parts,
): void {
  if (chosen === undefined || listed === undefined || listed.some(({ id }) => id === chosen.id)) return
  parts.problem(['tokenExchange', 'default', member], `can never be issued: "${list}" does not list "${chosen.id}"`)
}

function methodProblem(input: unknown): string {
  const { method } = input as { method?: unknown }
  const known = `expected one of ${methodNames.map(name => `"${name}"`).join(', ')}`
  if (method === undefined) return `is missing (${known})`
  if (method === 'none') return `there are no public clients: every client proves who it is; ${known}`
  return typeof method === 'string' ? `there is no method "${method}"${didYouMean(method, methodNames) || `; ${known}`}` : known
}
