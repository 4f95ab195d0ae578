import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { generateKey } from '../../src/keys/generate-key.ts'
import { type Issuer, makeIssuer } from './issuer.ts'

/** The files of a configuration: JSON values by path; a string is written as it is. */
export type Files = Record<string, unknown>

/** This server, in the tests. */
export const issuer = 'https://sts.example.com'

/** Two foreign issuers, made once for all tests of a file. */
export interface Issuers {
  readonly people: Issuer
  readonly agents: Issuer
}

/** Makes the foreign issuers that the usual configuration trusts. */
export async function makeIssuers(): Promise<Issuers> {
  return { people: await makeIssuer('https://people.example', issuer), agents: await makeIssuer('https://agents.example', issuer) }
}

const text = { type: 'string' }
const texts = { type: 'array', items: text }

/** A configuration with everything in it that most tests need; each changes what it is about. */
export async function usualFiles({ people, agents }: Issuers): Promise<Files> {
  const claims = {
    type: 'object',
    required: ['email', 'groups'],
    properties: { email: text, groups: texts, level: { type: 'number' }, name: text },
  }
  const processor = (trusted: Issuer, more = {}) => ({
    type: 'jwt',
    issuers: [{ issuer: trusted.issuer, jwks: trusted.jwks }],
    algorithms: ['ES256'],
    ...more,
  })
  const mapped = { subject: 'subject.sub', email: 'subject.email', groups: 'subject.groups' }
  const issued = { sub: 'policy.subject', email: 'policy.email', groups: 'policy.groups' }
  const contract = { sub: text, email: text, groups: texts }
  const secret = (value: string) => ({ method: 'client_secret_basic', secrets: [{ file: `secrets/${value}` }] })
  return {
    'server.json': {
      issuer,
      listen: { port: 0 },
      store: { type: 'memory' },
      defaults: { processorPolicy: 'people', accessTokenManager: 'api' },
      scopes: { 'orders.read': 'Read orders', 'orders.write': 'Change orders', admin: 'Everything' },
    },
    'policies/token-processors/people.json': processor(people, { claims }),
    'policies/token-processors/agents.json': processor(agents),
    'policies/token-processors/own.json': { type: 'access-token', accessTokenManagers: ['api', 'opaque', 'wide'] },
    'policies/processor-policies/people.json': {
      actorToken: 'optional',
      contract: { subject: text, email: { ...text, format: 'email' }, groups: texts },
      processors: [
        { subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt', subjectTokenProcessor: 'people', attributes: mapped },
        {
          subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
          subjectTokenProcessor: 'people',
          actorTokenType: 'urn:ietf:params:oauth:token-type:jwt',
          actorTokenProcessor: 'agents',
          attributes: mapped,
        },
        {
          subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
          subjectTokenProcessor: 'people',
          actorTokenType: 'urn:ietf:params:oauth:token-type:access_token',
          actorTokenProcessor: 'own',
          attributes: mapped,
        },
        {
          subjectTokenType: 'urn:ietf:params:oauth:token-type:access_token',
          subjectTokenProcessor: 'own',
          attributes: mapped,
        },
        {
          subjectTokenType: 'urn:ietf:params:oauth:token-type:access_token',
          subjectTokenProcessor: 'own',
          actorTokenType: 'urn:ietf:params:oauth:token-type:jwt',
          actorTokenProcessor: 'agents',
          attributes: mapped,
        },
      ],
      issues: [
        { accessTokenManager: 'api', attributes: issued },
        { accessTokenManager: 'opaque', attributes: issued },
        { accessTokenManager: 'wide', attributes: issued },
      ],
    },
    'policies/access-token-managers/api.json': {
      type: 'jwt',
      lifetime: '10m',
      signingKey: 'api',
      audience: ['https://api.example.com'],
      resources: ['https://api.example.com/', 'https://api.example.com/v2/special'],
      audiences: ['api'],
      contract,
    },
    'policies/access-token-managers/opaque.json': {
      type: 'reference',
      lifetime: '5m',
      audience: ['https://billing.example.com'],
      resources: ['https://billing.example.com/'],
      audiences: ['billing'],
      scopes: ['orders.read'],
      contract,
    },
    'policies/access-token-managers/wide.json': {
      type: 'jwt',
      lifetime: '1h',
      signingKey: 'api',
      audience: 'requested',
      resources: ['https://api.example.com/wide/'],
      clients: ['gateway'],
      contract,
    },
    'clients/gateway.json': {
      enabled: true,
      authentication: secret('gateway'),
      tokenExchange: { enabled: true },
      introspection: { enabled: true },
      audiences: ['https://gateway.example.com'],
      scopes: ['orders.read', 'orders.write'],
    },
    'clients/api.json': {
      enabled: true,
      authentication: secret('api'),
      tokenExchange: { enabled: true, accessTokenManagers: ['opaque'], default: { accessTokenManager: 'opaque' } },
      introspection: { enabled: true },
      audiences: ['https://api.example.com'],
      scopes: ['orders.read'],
    },
    'clients/stranger.json': {
      enabled: true,
      authentication: secret('stranger'),
      tokenExchange: { enabled: true },
      introspection: { enabled: true },
    },
    'clients/bystander.json': { enabled: true, authentication: secret('bystander') },
    'clients/disabled.json': { enabled: false, authentication: secret('disabled'), tokenExchange: { enabled: true } },
    'keys/api.json': { algorithm: 'ES256', status: 'active', privateKey: { file: 'secrets/api.pem' } },
    'secrets/api.pem': (await generateKey('ES256')).privateKeyPem,
    ...Object.fromEntries(['gateway', 'api', 'stranger', 'bystander', 'disabled'].map(client => [`secrets/${client}`, secretOf(client)])),
  }
}

/** The secret of a client of the usual configuration. */
export function secretOf(client: string): string {
  return `secret-of-${client}-0123456789abcdefghijklmnopqrstuvwxyz`
}

/** Writes files into a new folder; `remove` deletes it. */
export async function writeFiles(files: Files): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'cambist-test-'))
  for (const [name, value] of Object.entries(files)) {
    if (value === undefined) continue
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value, null, 2))
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** A copy of the files in which `change` may change one of them. */
export function changed(files: Files, name: string, change: (file: never) => void): Files {
  const copy = structuredClone(files)
  change(copy[name] as never)
  return copy
}

/** A change of files: objects are merged member by member, everything else is replaced, `undefined` takes away. */
export type Patch = Record<string, unknown>

/** A copy of the files with the patch in it. */
export function patched(files: Files, patch: Patch): Files {
  return merge(files, patch) as Files
}

function merge(old: unknown, patch: unknown): unknown {
  if (!isPlain(old) || !isPlain(patch)) return patch
  const merged: Record<string, unknown> = { ...old }
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) delete merged[name]
    else merged[name] = merge(merged[name], value)
  }
  return merged
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
