import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { didYouMean } from '../config/suggest.ts'
import { distinct, type Reference, reference, strict } from '../config/values.ts'
import { keySourceShape, namesOneSource, openKeySource } from '../keys/key-source.ts'
import { signatureAlgorithms } from '../keys/signing-key.ts'
import type { Blueprint, Parts } from '../plugin.ts'
import type { Client, ClientAuthentication, ClientTokenExchange } from './client.ts'
import { buildSecret, secretSettings } from './secret-settings.ts'

const bySecret = {
  secrets: z.array(secretSettings).min(1).meta({ description: 'Each is good: two while one replaces the other' }),
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
] as const

const methodNames = methods.map(({ shape }) => shape.method.value)

const authentication = z
  .discriminatedUnion('method', methods, { error: issue => (issue.code === 'invalid_union' ? methodProblem(issue.input) : undefined) })
  .meta({ description: 'How the client proves who it is: by exactly one method' })

const managerReference = reference('access-token-managers')

const tokenExchange = strict({
  enabled: z.boolean().default(false).meta({ description: 'Whether the client may exchange tokens' }),
  processorPolicy: reference('processor-policies').optional().meta({ description: "Absent: the server's default" }),
  accessTokenManagers: distinct(managerReference)
    .optional()
    .meta({ description: 'The managers whose tokens it may be issued; absent: all that the policy issues to' }),
  default: strict({ accessTokenManager: managerReference.optional() })
    .optional()
    .meta({ description: 'What it is issued when it names no target' }),
})

const names = distinct(z.string().min(1)).default([])

const clientSettings = strict({
  $schema: z.string().optional(),
  description: z.string().optional().meta({ description: 'What this file is for, in your own words' }),
  enabled: z.boolean().default(true),
  authentication,
  tokenExchange: tokenExchange.prefault({}),
  introspection: strict({ enabled: z.boolean().default(false) })
    .prefault({})
    .meta({ description: 'Whether it may ask what tokens mean' }),
  audiences: names.meta({ description: 'Names by which it is addressed as a resource server' }),
  scopes: names.meta({ description: 'The scopes that it may ask for; server.json lists them' }),
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
  const { enabled, introspection, audiences, properties } = settings
  return {
    id: parts.id,
    enabled,
    authentication: await buildAuthentication(settings.authentication, parts),
    tokenExchange: buildTokenExchange(settings.tokenExchange, parts),
    introspection,
    audiences,
    scopes: [...parts.scopes(settings.scopes, ['scopes'])],
    properties,
  }
}

async function buildAuthentication(settings: ClientSettings['authentication'], parts: Parts): Promise<ClientAuthentication> {
  const { method } = settings
  if (method === 'private_key_jwt') {
    const keys = openKeySource(parts.id, settings, { algorithms: settings.algorithms }, parts, ['authentication'])
    return { method, algorithms: new Set(settings.algorithms), keys }
  }
  const secrets = settings.secrets.map((secret, index) => buildSecret(secret, parts, ['authentication', 'secrets', index]))
  return { method, secrets: await Promise.all(secrets) }
}

function buildTokenExchange(settings: ClientSettings['tokenExchange'], parts: Parts): ClientTokenExchange {
  const path = ['tokenExchange']
  const policy = settings.processorPolicy && parts.processorPolicy(settings.processorPolicy)
  const { accessTokenManagers: listed, default: { accessTokenManager: chosen } = {} } = settings
  const named = (listed ?? []).map((manager, index): [Reference, Path] => [manager, [...path, 'accessTokenManagers', index]])
  if (chosen !== undefined) named.push([chosen, [...path, 'default', 'accessTokenManager']])
  for (const [manager, place] of named) {
    const issuing = policy === undefined || policy.issues.has(manager.id)
    if (!issuing)
      parts.warn('unreachable-target', place, `can never be issued: the policy "${policy.id}" issues nothing to "${manager.id}"`)
    const open = parts.accessTokenManager(manager).clients?.has(parts.id) ?? true
    if (!open) parts.warn('unreachable-target', place, `can never be issued: "clients" of "${manager.id}" does not list this client`)
  }
  const accessTokenManagers = listed && new Set(listed.map(({ id }) => id))
  if (chosen !== undefined && accessTokenManagers?.has(chosen.id) === false)
    parts.warn('unreachable-target', [...path, 'default', 'accessTokenManager'], `"accessTokenManagers" does not list "${chosen.id}"`)
  return { enabled: settings.enabled, policy, accessTokenManagers, defaultAccessTokenManager: chosen?.id }
}

function methodProblem(input: unknown): string {
  const { method } = input as { method?: unknown }
  const known = `expected one of ${methodNames.map(name => `"${name}"`).join(', ')}`
  if (method === undefined) return `is missing (${known})`
  return typeof method === 'string' ? `there is no method "${method}"${didYouMean(method, methodNames) || `; ${known}`}` : known
}
