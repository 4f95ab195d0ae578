import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import { buildConfiguration, type Loaded, parseConfiguration } from '../../src/config/load.ts'
import { ConfigError, describe, describeWarning } from '../../src/config/problems.ts'
import { readSources } from '../../src/config/read.ts'
import { generateKey } from '../../src/keys/generate-key.ts'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { memoryStore } from '../../src/stores/memory.ts'

/** A configuration with every kind of file in it, without problems and warnings: texts by path. Each test changes what it is about. */
export async function wholeConfiguration(): Promise<Record<string, string>> {
  const pem = async (algorithm: Parameters<typeof generateKey>[0]) => (await generateKey(algorithm)).privateKeyPem
  return {
    'server.json': `{
  "issuer": "https://sts.example.com",
  "listen": { "host": "127.0.0.1", "port": 3000 },
  "store": { "type": "embedded" },
  "workers": 1,
  "defaults": { "processorPolicy": "people", "accessTokenManager": "api" },
  "scopes": { "orders.read": "Read orders", "orders.write": "Change orders" },
  "delegation": { "maxDepth": 4 }
}`,
    'policies/token-processors/people.json': `{
  "type": "jwt",
  "issuers": [
    { "issuer": "https://people.example", "jwks": { "keys": [{ "kty": "EC", "crv": "P-256", "x": "0DYvkUIr-eUrWBTbSFZcmHJXW7K8B0LgoyMT1Lckm3g", "y": "fkm-R_pj5NzP6swDR2mvek_QcyDvJ2PjjyH7JHcvq-I" }] } }
  ],
  "algorithms": ["ES256"],
  "audiences": ["https://sts.example.com"],
  "clockSkew": "30s",
  "claims": {
    "type": "object",
    "required": ["email", "groups"],
    "properties": {
      "email": { "type": "string" },
      "groups": { "type": "array", "items": { "type": "string" } },
      "level": { "type": "integer" },
      "nickname": { "type": "string" }
    }
  }
}`,
    'policies/token-processors/agents.json': `{
  "type": "jwt",
  "issuers": [{ "issuer": "https://agents.example", "jwksUri": "https://agents.example/jwks", "maxStale": "12h" }],
  "decryptionKeys": ["mail"]
}`,
    'policies/token-processors/builds.json': `{
  "type": "jwt",
  "preset": "github-actions",
  "maxLifetime": "1h",
  "claims": { "type": "object", "properties": { "repository_owner": { "const": "acme" } } }
}`,
    'policies/token-processors/own.json': `{
  "type": "access-token",
  "accessTokenManagers": ["api", "billing"],
  "requiredScopes": ["orders.read"]
}`,
    'policies/token-processors/partner.json': `{
  "type": "introspection",
  "issuer": "https://partner.example",
  "endpoint": "https://partner.example/introspect",
  "clientId": "cambist",
  "clientSecret": { "file": "secrets/partner" },
  "cache": "1m"
}`,
    'policies/processor-policies/people.json': `{
  "actorToken": "optional",
  "contract": {
    "subject": { "type": "string" },
    "email": { "type": "string", "format": "email" },
    "groups": { "type": "array", "items": { "type": "string" } }
  },
  "processors": [
    {
      "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
      "subjectTokenProcessor": "people",
      "attributes": {
        "subject": "subject.sub",
        "email": "subject.email",
        "groups": "subject.groups.filter(g, g.startsWith('app-'))"
      },
      "criteria": [{ "require": "'staff' in subject.groups", "otherwise": "staff only" }]
    },
    {
      "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
      "subjectTokenProcessor": "people",
      "actorTokenType": "urn:ietf:params:oauth:token-type:jwt",
      "actorTokenProcessor": "agents",
      "attributes": { "subject": "subject.sub", "email": "subject.email", "groups": "[]" },
      "criteria": [{ "require": "'staff' in subject.groups", "otherwise": "staff only" }]
    },
    {
      "subjectTokenType": "urn:ietf:params:oauth:token-type:access_token",
      "subjectTokenProcessor": "own",
      "attributes": { "subject": "subject.sub", "email": "subject.email", "groups": "[]" }
    }
  ],
  "criteria": [{ "require": "policy.email.endsWith('@example.com')", "otherwise": "our own people only" }],
  "scope": "subject",
  "issues": [
    {
      "accessTokenManager": "api",
      "attributes": { "sub": "policy.subject", "email": "policy.email" },
      "criteria": [{ "require": "size(policy.groups) >= 0", "otherwise": "never" }]
    },
    {
      "accessTokenManager": "billing",
      "attributes": { "sub": "policy.subject", "email": "policy.email" }
    }
  ]
}`,
    'policies/access-token-managers/api.json': `{
  "type": "jwt",
  "lifetime": "10m",
  "signingKey": "api",
  "audience": ["https://api.example.com"],
  "resources": ["https://api.example.com/v1/"],
  "audiences": ["api"],
  "contract": {
    "sub": { "type": "string" },
    "email": { "type": "string" }
  }
}`,
    'policies/access-token-managers/billing.json': `{
  "type": "reference",
  "lifetime": "5m",
  "length": 32,
  "audience": ["billing"],
  "audiences": ["billing"],
  "clients": ["basic", "post"],
  "scopes": ["orders.read"],
  "contract": { "sub": { "type": "string" }, "email": { "type": "string" } }
}`,
    'clients/basic.json': `{
  "authentication": { "method": "client_secret_basic", "secrets": [{ "file": "secrets/basic" }] },
  "tokenExchange": {
    "enabled": true,
    "processorPolicy": "people",
    "accessTokenManagers": ["api", "billing"],
    "default": { "accessTokenManager": "billing" }
  },
  "introspection": { "enabled": true },
  "audiences": ["https://basic.example.com"],
  "scopes": ["orders.read"],
  "properties": { "tier": "gold" }
}`,
    'clients/post.json': `{
  "authentication": { "method": "client_secret_post", "secrets": [{ "env": "POST_SECRET" }] }
}`,
    'clients/assertion.json': `{
  "authentication": { "method": "private_key_jwt", "jwksUri": "https://assertion.example/jwks" }
}`,
    'keys/api.json': `{
  "algorithm": "ES256",
  "status": "active",
  "privateKey": { "file": "secrets/api.pem" }
}`,
    'keys/api-next.json': `{
  "algorithm": "RS256",
  "status": "next",
  "replaces": "api",
  "privateKey": { "file": "secrets/api-next.pem" }
}`,
    'keys/mail.json': `{
  "algorithm": "ECDH-ES",
  "status": "active",
  "privateKey": { "file": "secrets/mail.pem" }
}`,
    'secrets/api.pem': await pem('ES256'),
    'secrets/api-next.pem': await pem('RS256'),
    'secrets/mail.pem': await pem('ECDH-ES'),
    'secrets/partner': randomBytes(32).toString('hex'),
    'secrets/basic': randomBytes(32).toString('hex'),
    'secrets/empty': '\n',
    'secrets/nonsense': 'no key at all',
  }
}

/** The environment in which configurations are loaded. */
export const environment = { POST_SECRET: 'x'.repeat(32) }

/** Writes the files, texts or bytes, into a new folder. */
export function writeFolder(files: Texts): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'cambist-test-'))
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The files of a configuration, as texts or bytes by path. */
export type Texts = Readonly<Record<string, string | Buffer | undefined>>

/** Loads the configuration as the server does. */
export async function load(files: Texts, fetch = guardedFetch()): Promise<Loaded> {
  const { folder, remove } = writeFolder(files)
  const now = () => Date.now() / 1000
  const outside = { effects: undefined, fetch, now, store: memoryStore(now), log: pino({ level: 'silent' }), random: randomBytes }
  try {
    return await buildConfiguration(await parseConfiguration(await readSources(folder), folder, environment), outside)
  } finally {
    remove()
  }
}

/** Every problem of the configuration, as the line that an administrator reads. */
export async function problemsOf(files: Texts): Promise<string[]> {
  try {
    await load(files)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(describe)
    throw error
  }
}

/** Every warning of the configuration, as the line that an administrator reads. Fails when there are problems. */
export async function warningsOf(files: Texts): Promise<string[]> {
  return (await load(files)).warnings.map(describeWarning)
}

/** The text with `written` in place of `found`, which stands in it exactly once. */
export function replaced(text: string, found: string, written: string): string {
  if (text.split(found).length !== 2) throw new Error(`${JSON.stringify(found)} stands ${text.split(found).length - 1} times in\n${text}`)
  return text.replace(found, () => written)
}
