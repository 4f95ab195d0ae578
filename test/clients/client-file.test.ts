import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { exportJWK, generateKeyPair } from 'jose'
import { z } from 'zod'
import type { Client } from '../../src/clients/client.ts'
import { clientFile } from '../../src/clients/client-file.ts'
import { digestSecret, hashSecret } from '../../src/clients/secrets.ts'
import { findInstances } from '../../src/config/link.ts'
import { ExternalText, Reference } from '../../src/config/values.ts'
import { problemsOf } from '../../src/config/zod-problems.ts'
import type { JsonObject } from '../../src/json.ts'
import { Kept } from '../../src/kept.ts'
import type { Parts } from '../../src/plugin.ts'

const strong = 'x'.repeat(32)
const texts: Record<string, string> = { STRONG: strong, SHORT: 'hunter2' }
const usual = { authentication: { method: 'client_secret_basic', secrets: [{ env: 'STRONG' }] } }

function problems(value: unknown): string[] {
  const result = clientFile.safeParse(value)
  if (result.success) return []
  return problemsOf(result.error, value as JsonObject).map(({ path, message }) => `${path.join('.')}: ${message}`)
}

async function build(value: unknown, id = 'orders'): Promise<{ client: Client; said: string[] }> {
  const said: string[] = []
  const manager = (id: string, clients?: string[]) => ({
    id,
    type: 'reference',
    clients: clients && { allow: new Set(clients), enforced: true },
  })
  const managers: Record<string, ReturnType<typeof manager>> = {
    api: manager('api'),
    wide: manager('wide'),
    billing: manager('billing', ['other']),
  }
  const parts = {
    id,
    issuer: 'https://sts.example.com',
    outside: { random: randomBytes, now: () => 0 },
    kept: new Kept().draft(),
    text: ({ name }: ExternalText) => texts[name],
    processorPolicy: (reference: Reference) => ({ id: reference.id, issues: new Map([[managers.api, {}]]) }),
    accessTokenManager: (reference: Reference) => managers[reference.id],
    generatorGroup: (reference: Reference) => ({ id: reference.id, resources: [], audiences: [], generators: new Map() }),
    problem: (path: PropertyKey[], message: string) => said.push(`${path.join('.')}: ${message}`),
    warn: (code: string, path: PropertyKey[], message: string) => said.push(`${code} at ${path.join('.')}: ${message}`),
    probe: () => undefined,
  } as unknown as Parts
  const client = await clientFile.parse(value).build(parts)
  return { client, said }
}

describe('clients/client-file', () => {
  it('takes the client of the documentation', async () => {
    const hash = digestSecret('s').text
    const { client, said } = await build({
      $schema: '../schemas/client.schema.json',
      description: 'orders',
      enabled: true,
      authentication: { method: 'client_secret_basic', secrets: [{ hash }, { hash, until: '2026-12-31T00:00:00Z' }] },
      tokenExchange: { enabled: true, processorPolicy: 'partner', accessTokenManagers: ['api'], default: { accessTokenManager: 'api' } },
      introspection: { enabled: true },
      wsTrust: { enabled: true, connections: ['partner'] },
      audiences: ['https://orders.example.com'],
      scopes: ['orders.read'],
      properties: { tier: 'gold' },
    })
    expect(said).to.deep.equal([])
    expect(client.tokenExchange.policy?.id).to.equal('partner')
    expect({ ...client, tokenExchange: { ...client.tokenExchange, policy: undefined } }).to.deep.equal({
      id: 'orders',
      enabled: true,
      authentication: {
        method: 'client_secret_basic',
        secrets: [
          { hash: digestSecret('s'), until: undefined },
          { hash: digestSecret('s'), until: 1_798_675_200 },
        ],
      },
      tokenExchange: {
        enabled: true,
        policy: undefined,
        accessTokenManagers: new Set(['api']),
        generatorGroups: undefined,
        default: { accessTokenManager: 'api', generatorGroup: undefined },
        binding: 'optional',
      },
      introspection: { enabled: true, signedOnly: false, recipient: undefined },
      wsTrust: { enabled: true, connections: new Set(['partner']) },
      audiences: ['https://orders.example.com'],
      scopes: ['orders.read'],
      properties: { tier: 'gold' },
    })
  })

  it('gives a client nothing that its file does not say', async () => {
    const { client } = await build(usual)
    expect(client).to.deep.include({
      enabled: true,
      introspection: { enabled: false, signedOnly: false, recipient: undefined },
      audiences: [],
      scopes: [],
      properties: {},
    })
    expect(client.wsTrust).to.deep.equal({ enabled: false, connections: new Set() })
    expect(client.tokenExchange).to.deep.equal({
      enabled: false,
      policy: undefined,
      accessTokenManagers: undefined,
      generatorGroups: undefined,
      default: { accessTokenManager: undefined, generatorGroup: undefined },
      binding: 'optional',
    })
  })

  it('compares a secret from outside by digest, and a short one as one that could be guessed', async () => {
    const { client, said } = await build({
      authentication: { method: 'client_secret_post', secrets: [{ env: 'STRONG' }, { env: 'SHORT' }] },
    })
    const forms = !('secrets' in client.authentication) ? [] : client.authentication.secrets.map(({ hash }) => hash.form)
    expect(forms).to.deep.equal(['sha256', 'scrypt'])
    expect(said).to.have.length(1)
    expect(said[0]).to.match(/^short-client-secret at authentication.secrets.1: /)
  })

  it('takes a scrypt hash', async () => {
    const { text } = await hashSecret('s', randomBytes)
    const { client } = await build({ authentication: { method: 'client_secret_basic', secrets: [{ hash: text }] } })
    expect(client.authentication).to.have.nested.property('secrets[0].hash.text', text)
  })

  it('takes the keys of a client', async () => {
    const { publicKey } = await generateKeyPair('ES256')
    const jwks = { keys: [await exportJWK(publicKey)] }
    const { client, said } = await build({ authentication: { method: 'private_key_jwt', jwks, algorithms: ['ES256'] } })
    expect(said).to.deep.equal([])
    if (client.authentication.method !== 'private_key_jwt') throw new Error(client.authentication.method)
    expect(client.authentication.keys.find('ES256', undefined)).to.have.property('algorithm', 'ES256')
    expect(client.authentication.algorithms).to.deep.equal(new Set(['ES256']))
  })

  it('takes an address of keys, guarded as those of issuers', async () => {
    const at = async (jwksUri: string) => (await build({ authentication: { method: 'private_key_jwt', jwksUri } })).said
    expect(await at('https://client.example/jwks')).to.deep.equal([])
    expect((await at('http://client.example/jwks')).join()).to.match(/^authentication.jwksUri: /)
    expect((await at('https://127.0.0.1/jwks')).join()).to.match(/^authentication.jwksUri: /)
  })

  it('shows the loader every file and secret that it names', () => {
    const { settings } = clientFile.parse({
      ...usual,
      tokenExchange: { processorPolicy: 'p', accessTokenManagers: ['a'], default: { accessTokenManager: 'a' } },
    })
    expect(findInstances(settings, Reference).map(([path, { kind }]) => `${path.join('.')} ${kind}`)).to.deep.equal([
      'tokenExchange.processorPolicy processor-policies',
      'tokenExchange.accessTokenManagers.0 access-token-managers',
      'tokenExchange.default.accessTokenManager access-token-managers',
    ])
    expect(findInstances(settings, ExternalText).map(([path]) => path.join('.'))).to.deep.equal(['authentication.secrets.0.env'])
  })

  const hint = /a secret never stands in the configuration itself: write \{ "hash": .*\{ "env": "NAME" \} or \{ "file": "path" \}/
  const authentication: Array<[unknown, RegExp]> = [
    [undefined, /^authentication: is missing/],
    ['basic', /^authentication: expected an object/],
    [
      {},
      /^authentication.method: is missing \(expected one of "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"\)$/,
    ],
    [{ method: 'client_secret_basik' }, /^authentication.method: .*did you mean "client_secret_basic"\?$/],
    [{ method: 'none' }, /^authentication.method: there are no public clients: every client proves who it is; expected one of/],
    [{ method: 'tls_client_auth' }, /^authentication: expected exactly one of "subjectDn", "sanDns", /],
    [{ method: 'tls_client_auth', subjectDn: '/CN=x' }, /^authentication.subjectDn: is written as old OpenSSL does/],
    [{ method: 'mtls' }, /^authentication.method: there is no method/],
    [{ method: 'client_secret_basic' }, /^authentication.secrets: is missing/],
    [{ method: 'client_secret_basic', secrets: [] }, /^authentication.secrets: must have at least one entry$/],
    [{ method: 'client_secret_basic', secret: 'x', secrets: [{ env: 'A' }] }, /unknown member "secret"; did you mean "secrets"\?$/],
    [{ method: 'client_secret_basic', secrets: ['hunter2'] }, hint],
    [{ method: 'client_secret_basic', secrets: [{ secret: 'hunter2' }] }, hint],
    [{ method: 'client_secret_basic', secrets: [{ hash: 'hunter2' }] }, /^authentication.secrets.0.hash: is not a hash/],
    [{ method: 'client_secret_basic', secrets: [{ env: 'A', file: 'b' }] }, /^authentication.secrets.0: expected exactly one of/],
    [{ method: 'client_secret_basic', secrets: [{ until: '2026-12-31T00:00:00Z' }] }, /^authentication.secrets.0: expected exactly one of/],
    [
      { method: 'client_secret_basic', secrets: [{ env: 'A', untill: 'x' }] },
      /secrets.0.untill: unknown member "untill"; did you mean "until"\?$/,
    ],
    [{ method: 'client_secret_basic', secrets: [{ env: 'A', until: '2026-12-31' }] }, /secrets.0.until: expected an instant such as/],
    [{ method: 'client_secret_basic', secrets: [{ env: 'A', until: '2026-02-30T00:00:00Z' }] }, /secrets.0.until: expected an instant/],
    [{ method: 'private_key_jwt' }, /^authentication: expected exactly one of "jwksUri" and "jwks"$/],
    [{ method: 'private_key_jwt', jwks: { keys: [{}] }, jwksUri: 'https://a.example' }, /^authentication: expected exactly one of/],
    [{ method: 'private_key_jwt', jwksUri: 'a' }, /^authentication.jwksUri: expected an absolute http or https URL/],
    [{ method: 'private_key_jwt', jwksUri: 'https://a.example', algorithms: ['HS256'] }, /^authentication.algorithms.0: expected one of/],
    [{ method: 'private_key_jwt', jwksUri: 'https://a.example', secrets: [] }, /unknown member "secrets"/],
  ]
  for (const [value, message] of authentication) {
    it(`reports "authentication": ${JSON.stringify(value)}`, () => {
      const found = problems({ authentication: value })
      expect(found).to.have.length(1)
      expect(found[0]).to.match(message)
      expect(found[0]).not.to.include('hunter2')
    })
  }

  const others: Array<[object, RegExp]> = [
    [{ tokenExchage: {} }, /^tokenExchage: unknown member "tokenExchage"; did you mean "tokenExchange"\?$/],
    [{ tokenExchange: { enabled: 'yes' } }, /^tokenExchange.enabled: expected a boolean/],
    [{ tokenExchange: { generatorGroups: ['a', 'a'] } }, /^tokenExchange.generatorGroups.1: stands in this list twice$/],
    [{ tokenExchange: { accessTokenManagers: ['a', 'a'] } }, /^tokenExchange.accessTokenManagers.1: stands in this list twice$/],
    [{ introspection: true }, /^introspection: expected an object/],
    [{ scopes: ['a', 'a'] }, /^scopes.1: stands in this list twice$/],
    [{ scopes: 'a' }, /^scopes: expected a list/],
    [{ audiences: [''] }, /^audiences.0: must not be empty$/],
    [{ properties: [] }, /^properties: expected an object/],
  ]
  for (const [more, message] of others) {
    it(`reports ${JSON.stringify(more)}`, () => {
      const found = problems({ ...usual, ...more })
      expect(found).to.have.length(1)
      expect(found[0]).to.match(message)
    })
  }

  it('warns of what can never be issued', async () => {
    const { said } = await build({
      ...usual,
      tokenExchange: { processorPolicy: 'p', accessTokenManagers: ['api', 'wide'], default: { accessTokenManager: 'billing' } },
    })
    expect(said).to.deep.equal([
      'unreachable-target at tokenExchange.accessTokenManagers.1: can never be issued: the policy "p" issues nothing to "wide"',
      'unreachable-target at tokenExchange.default.accessTokenManager: can never be issued: the policy "p" issues nothing to "billing"',
      'tokenExchange.default.accessTokenManager: can never be issued: "clients" of "billing" does not list this client',
      'tokenExchange.default.accessTokenManager: can never be issued: "accessTokenManagers" does not list "billing"',
    ])
  })

  it('reports a file name that is no client id', async () => {
    expect((await build(usual, 'my client')).said).to.have.length(1)
    expect((await build(usual, 'bestellüng')).said).to.have.length(1)
    expect((await build(usual, 'cl:i-ent_1.x')).said).to.deep.equal([])
  })

  it('has a schema for editors', () => {
    const schema = z.toJSONSchema(clientFile, { io: 'input' })
    expect(schema.required).to.deep.equal(['authentication'])
    expect(schema.properties).to.have.all.keys(
      '$schema',
      'description',
      'enabled',
      'authentication',
      'tokenExchange',
      'introspection',
      'wsTrust',
      'audiences',
      'scopes',
      'properties',
    )
  })
})
