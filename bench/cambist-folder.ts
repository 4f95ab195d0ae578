import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { StartedSource } from './lookup-sources.ts'
import { type Algorithm, type BenchClient, certificateFile, foreignKeySet, keyFile, names } from './material.ts'

/** What differs between the configurations that are measured. */
export interface CambistSettings {
  readonly port: number
  readonly keys: string
  readonly clients: readonly BenchClient[]
  readonly policies: number
  readonly store: object
  readonly workers: number
  /** A lookup for every exchange, and where it is made. */
  readonly lookup?: { readonly source: StartedSource; readonly cached: boolean } | undefined
  /** Whether it speaks TLS itself. */
  readonly secure: boolean
}

/** Writes a configuration folder as an administrator would. */
export function writeCambistFolder(folder: string, settings: CambistSettings): void {
  const write = (file: string, content: object) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), JSON.stringify(content))
  }
  write('server.json', serverFile(settings))
  write('policies/token-processors/acme.json', processorFile(settings.keys))
  write('policies/token-processors/acme-saml2.json', samlProcessorFile(settings.keys))
  for (const algorithm of ['ES256', 'RS256'] as const) {
    const certificate = { file: certificateFile(settings.keys, 'own', algorithm) }
    write(`keys/${algorithm}.json`, {
      algorithm,
      status: 'active',
      privateKey: { file: keyFile(settings.keys, 'own', algorithm) },
      certificate,
    })
    write(`policies/token-generators/saml2-${algorithm}.json`, generatorFile(algorithm))
    write(`policies/generator-groups/saml2-${algorithm}.json`, groupFile(algorithm))
    write(`policies/access-token-managers/${algorithm}.json`, { type: 'jwt', signingKey: algorithm, ...managerBasics(algorithm) })
  }
  write('policies/access-token-managers/reference.json', { type: 'reference', ...managerBasics('reference') })
  write('policies/idp-connections/acme.json', connectionFile)
  const policy = settings.lookup === undefined ? policyFile : withLookup(settings.lookup)
  for (let index = 0; index < settings.policies; index++) write(`policies/processor-policies/policy-${index}.json`, policy)
  if (settings.lookup !== undefined) write('policies/data-stores/people.json', settings.lookup.source.dataStore)
  for (const [file, text] of Object.entries(settings.lookup?.source.files ?? {})) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  for (const [index, client] of settings.clients.entries()) {
    write(`clients/${client.id}.json`, clientFile(client, `policy-${index % settings.policies}`))
  }
}

function serverFile({ port, store, workers, secure, keys }: CambistSettings) {
  const tls = { certificate: { file: certificateFile(keys, 'own', 'ES256') }, privateKey: { file: keyFile(keys, 'own', 'ES256') } }
  const scopes = Object.fromEntries(names.scopes.map(scope => [scope, 'For the benchmark']))
  return { issuer: names.server, listen: { host: '127.0.0.1', port, ...(secure && { tls }) }, store, scopes, workers }
}

function processorFile(keys: string) {
  return {
    type: 'jwt',
    issuers: [{ issuer: names.foreignIssuer, jwks: foreignKeySet(keys) }],
    algorithms: ['ES256', 'RS256'],
    claims: {
      type: 'object',
      required: ['email', 'email_verified', 'groups'],
      properties: {
        email: { type: 'string' },
        email_verified: { type: 'boolean' },
        groups: { type: 'array', items: { type: 'string' } },
      },
    },
  }
}

function samlProcessorFile(keys: string) {
  return {
    type: 'saml2',
    issuers: [{ entityId: names.foreignIssuer, certificates: [{ file: certificateFile(keys, 'foreign', 'RS256') }] }],
    claims: {
      type: 'object',
      required: ['uid', 'email', 'email_verified', 'groups'],
      properties: { uid: text, email: text, email_verified: { type: 'boolean' }, groups: textList },
    },
  }
}

function generatorFile(signingKey: Algorithm) {
  const resource = names.resourceOf(`saml2-${signingKey}`)
  return {
    type: 'saml2',
    issuer: names.server,
    audience: resource,
    signingKey,
    lifetime: '10m',
    subject: { format: names.emailFormat, recipient: `${resource}acs` },
    attributeNameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
    contract: { SAML_SUBJECT: text, uid: text, email: text, groups: textList },
  }
}

function groupFile(signingKey: Algorithm) {
  const tokenType = 'urn:ietf:params:oauth:token-type:saml2'
  const resources = [names.resourceOf(`saml2-${signingKey}`)]
  return { resources, generators: { [tokenType]: `saml2-${signingKey}` }, default: tokenType }
}

const text = { type: 'string' }
const textList = { type: 'array', items: text }

function managerBasics(outbound: 'ES256' | 'RS256' | 'reference') {
  const resource = names.resourceOf(outbound)
  return { lifetime: '10m', audience: [resource], resources: [resource], contract: { sub: text, email: text, groups: textList } }
}

const policyFile = {
  actorToken: 'refused',
  contract: { subject: text, email: { type: 'string', format: 'email' }, verified: { type: 'boolean' }, groups: textList },
  processors: [
    {
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      subjectTokenProcessor: 'acme',
      attributes: {
        subject: 'subject.sub',
        email: 'subject.email',
        verified: 'subject.email_verified',
        groups: "subject.groups.filter(g, g.startsWith('app-'))",
      },
    },
    {
      subjectTokenType: 'urn:ietf:params:oauth:token-type:saml2',
      subjectTokenProcessor: 'acme-saml2',
      attributes: {
        subject: 'subject.attributes.uid',
        email: 'subject.attributes.email',
        verified: 'subject.attributes.email_verified',
        groups: "subject.attributes.groups.filter(g, g.startsWith('app-'))",
      },
    },
  ],
  criteria: [{ require: 'policy.verified', otherwise: 'the e-mail address is not verified' }],
  issues: [
    ...['ES256', 'RS256', 'reference'].map(accessTokenManager => ({
      accessTokenManager,
      attributes: { sub: 'policy.subject', email: 'policy.email', groups: 'policy.groups' },
    })),
    ...['saml2-ES256', 'saml2-RS256'].map(tokenGenerator => ({
      tokenGenerator,
      attributes: { SAML_SUBJECT: 'policy.email', uid: 'policy.subject', email: 'policy.email', groups: 'policy.groups' },
    })),
  ],
}

const connectionFile = {
  entityId: names.foreignIssuer,
  virtualServerIds: [names.server],
  tokenProcessor: 'acme-saml2',
  processing: 'validate-and-issue',
  contract: { TOKEN_SUBJECT: text, email: { type: 'string', format: 'email' }, verified: { type: 'boolean' }, groups: textList },
  attributes: {
    TOKEN_SUBJECT: 'assertion.attributes.uid',
    email: 'assertion.attributes.email',
    verified: 'assertion.attributes.email_verified',
    groups: "assertion.attributes.groups.filter(g, g.startsWith('app-'))",
  },
  generators: [
    {
      tokenGenerator: 'saml2-RS256',
      default: true,
      attributes: { SAML_SUBJECT: 'policy.email', uid: 'policy.TOKEN_SUBJECT', email: 'policy.email', groups: 'policy.groups' },
      criteria: [{ require: 'policy.verified', otherwise: 'the e-mail address is not verified' }],
    },
  ],
}

/** The same, with a condition on what is looked up. One person is not there. */
function withLookup({ source, cached }: NonNullable<CambistSettings['lookup']>) {
  const [mapping, ...mappings] = policyFile.processors
  const person = {
    ...{ dataStore: 'people', attributes: ['mail'], ifMissing: 'empty', ...source.lookup },
    ...(cached && { cache: { ttl: '1h', missing: '1h', entries: 20_000 } }),
  }
  const criteria = [{ require: "!has(lookup.person.mail) || lookup.person.mail.contains('@')", otherwise: 'never' }]
  return { ...policyFile, processors: [{ ...mapping, lookups: { person }, criteria }, ...mappings] }
}

function clientFile({ hash }: BenchClient, processorPolicy: string) {
  return {
    authentication: { method: 'client_secret_basic', secrets: [{ hash }] },
    tokenExchange: { enabled: true, processorPolicy },
    wsTrust: { enabled: true, connections: ['acme'] },
    scopes: names.scopes,
  }
}
