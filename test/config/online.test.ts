import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { askEverybody } from '../../src/config/online.ts'
import { describe as describeProblem } from '../../src/config/problems.ts'
import { type GuardedFetch, guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { certifiedKey } from '../support/certificates.ts'
import { load, wholeConfiguration } from './configuration.ts'

const key = certifiedKey('ES256')
const idp = certifiedKey('RS256', 'idp')
const jwk = { ...key.certificate.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' }
const metadata = (entityId: string) => `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">
    <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${idp.certificate.raw.toString('base64')}</X509Certificate></X509Data></KeyInfo>
  </KeyDescriptor></IDPSSODescriptor></EntityDescriptor>`

describe('asking other servers', () => {
  let server: Server
  let base: string
  let whole: Record<string, string>
  const asked: string[] = []
  before(async () => {
    whole = await wholeConfiguration()
    const json = (value: unknown) => [200, JSON.stringify(value)] as const
    const answers: Record<string, () => readonly [number, string] | undefined> = {
      '/jwks': () => json({ keys: [jwk] }),
      '/reader': () => json({ keys: [jwk, { ...idp.certificate.publicKey.export({ format: 'jwk' }), kid: 'theirs', use: 'enc' }] }),
      '/weak': () => json({ keys: [{ ...jwk, alg: 'HS256' }] }),
      '/page': () => [200, '<html>please log in</html>'],
      '/broken': () => [503, 'later'],
      '/slow': () => undefined,
      '/.well-known/openid-configuration': () => json({ issuer: base, jwks_uri: `${base}/jwks` }),
      '/other/.well-known/openid-configuration': () => json({ issuer: base, jwks_uri: `${base}/jwks` }),
      '/metadata': () => [200, metadata('https://idp.example')],
      '/introspect': () => json({ active: false }),
      '/credulous': () => json({ active: true }),
      '/refusing': () => [401, '{"error":"invalid_client"}'],
    }
    server = createServer((request, response) => {
      asked.push(String(request.url))
      const found = answers[String(request.url)]
      const answer = found === undefined ? ([404, ''] as const) : found()
      if (answer !== undefined) response.writeHead(answer[0]).end(answer[1])
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  const guarded = guardedFetch((hostname, _options, callback) =>
    callback(null, [{ address: hostname === 'inside.example' ? '10.0.0.7' : '127.0.0.1', family: 4 }]),
  )
  /** Waits long for everybody but the one who never answers. */
  const impatient: GuardedFetch = (url, request) => guarded(url, { ...request, maxMilliseconds: url.endsWith('/slow') ? 300 : 60_000 })

  /** Asks whom these files name, and nobody else. */
  async function ask(files: Record<string, object>) {
    const others = ['agents', 'builds', 'partner'].map(name => [
      `policies/token-processors/${name}.json`,
      whole['policies/token-processors/people.json'],
    ])
    const written = Object.entries(files).map(([name, value]) => [name, JSON.stringify(value, null, 2)])
    const texts = { ...whole, ...Object.fromEntries(others), 'clients/assertion.json': undefined, ...Object.fromEntries(written) }
    const { probes } = await load(texts, impatient)
    const { answered, problems } = await askEverybody(probes)
    return {
      answered: answered.map(({ place, what, found }) => `${place.file}:${place.line} ${what}: ${found}`),
      problems: problems.map(describeProblem),
    }
  }
  const file = 'policies/token-processors/asked.json'
  const local = { allowPrivateNetwork: true }
  const issuing = (source: object, issuer = 'https://issuer.example') => ({
    [file]: { type: 'jwt', issuers: [{ issuer, ...local, ...source }] },
  })

  const encrypting = (jwksUri: string) => ({
    'policies/access-token-managers/asked.json': {
      encryption: { jwksUri, ...local },
      ...{ type: 'jwt', lifetime: '5m', signingKey: 'api', audience: ['asked'], audiences: ['asked'] },
      contract: { sub: { type: 'string' } },
    },
  })

  const fine: Array<[what: string, files: () => Record<string, object>, answered: () => string]> = [
    ['a key set', () => issuing({ jwksUri: `${base}/jwks` }), () => `${file}:7 the keys of https://issuer.example: usable keys: 1`],
    ['a discovery document', () => issuing({ discovery: true }, base), () => `${file}:7 the keys of ${base}: usable keys: 1`],
    [
      'SAML metadata',
      () => ({ [file]: { type: 'saml2', issuers: [{ entityId: 'https://idp.example', metadata: `${base}/metadata`, ...local }] } }),
      () => `${file}:6 the metadata of https://idp.example: usable keys: 1`,
    ],
    [
      'an introspection endpoint',
      () => ({
        [file]: {
          type: 'introspection',
          issuer: 'https://o.example',
          endpoint: `${base}/introspect`,
          clientId: 'c',
          clientSecret: { file: 'secrets/partner' },
          ...local,
        },
      }),
      () => `${file}:4 the introspection endpoint: it answers, and knows us`,
    ],
    [
      'the key set of a client',
      () => ({ 'clients/asked.json': { authentication: { method: 'private_key_jwt', jwksUri: `${base}/jwks`, ...local } } }),
      () => 'clients/asked.json:4 the keys of asked: usable keys: 1',
    ],
    [
      'the key that tokens are encrypted for',
      () => encrypting(`${base}/reader`),
      () => `policies/access-token-managers/asked.json:3 the key to encrypt for of ${base}/reader: a key for RSA-OAEP-256 (kid theirs)`,
    ],
  ]
  for (const [what, files, answered] of fine) {
    it(`finds ${what} in order`, async () => expect(await ask(files())).to.deep.equal({ answered: [answered()], problems: [] }))
  }

  const useless: Array<[what: string, files: () => Record<string, object>, problem: RegExp]> = [
    [
      'a server that is out of order',
      () => issuing({ jwksUri: `${base}/broken` }),
      /^policies\/token-processors\/asked\.json:7:7 issuers\[0\]\.jwksUri: the keys of https:\/\/issuer\.example cannot be had: http:.*\/broken answered 503$/,
    ],
    ['an address where there is nothing', () => issuing({ jwksUri: `${base}/none` }), /\/none answered 404$/],
    ['a server that does not answer', () => issuing({ jwksUri: `${base}/slow` }), /: no answer in time$/],
    ['a port where nobody listens', () => issuing({ jwksUri: 'http://127.0.0.1:1/jwks' }), /ECONNREFUSED/],
    ['a page instead of keys', () => issuing({ jwksUri: `${base}/page` }), /did not answer with a JSON object$/],
    [
      'a set without a key to encrypt for',
      () => encrypting(`${base}/jwks`),
      /^policies\/access-token-managers\/asked\.json:3:5 encryption\.jwksUri: .*\/jwks has no key to encrypt for with RSA-OAEP-256; keys\[0\]: its alg is another one$/,
    ],
    ['keys that cannot be used', () => issuing({ jwksUri: `${base}/weak` }), /has no key that can be used; keys\[0\]: /],
    [
      'the metadata of another issuer',
      () => issuing({ discovery: true }, `${base}/other`),
      /issuers\[0\]\.discovery: .*are those of another issuer$/,
    ],
    ['an issuer without metadata', () => issuing({ discovery: true }, `${base}/nowhere`), /has no metadata$/],
    [
      'a name that leads into the private network',
      () => issuing({ jwksUri: 'https://inside.example/jwks', allowPrivateNetwork: false }),
      /inside\.example resolves to no address that may be connected to$/,
    ],
    [
      'SAML metadata of somebody else',
      () => ({ [file]: { type: 'saml2', issuers: [{ entityId: 'https://other.example', metadata: `${base}/metadata`, ...local }] } }),
      /issuers\[0\]\.metadata: the metadata of https:\/\/other\.example cannot be had: the metadata do not describe/,
    ],
    [
      'a server that does not know us',
      () => ({
        [file]: {
          type: 'introspection',
          issuer: 'https://o.example',
          endpoint: `${base}/refusing`,
          clientId: 'c',
          clientSecret: { file: 'secrets/partner' },
          ...local,
        },
      }),
      /:4:3 endpoint: the introspection endpoint cannot be had: .*\/refusing answered 401/,
    ],
    [
      'a server that believes anything',
      () => ({
        [file]: {
          type: 'introspection',
          issuer: 'https://o.example',
          endpoint: `${base}/credulous`,
          clientId: 'c',
          clientSecret: { file: 'secrets/partner' },
          ...local,
        },
      }),
      /it says that a made-up token is active$/,
    ],
  ]
  for (const [what, files, problem] of useless) {
    it(`reports ${what}`, async () => {
      const { answered, problems } = await ask(files())
      expect(answered).to.deep.equal([])
      expect(problems).to.have.length(1)
      expect(problems[0]).to.match(problem)
    })
  }

  it('reports what is inherited at the file that says it', async () => {
    const parent = issuing({ jwksUri: `${base}/broken` })
    const { problems } = await ask({ ...parent, 'policies/token-processors/child.json': { extends: 'asked' } })
    expect(problems.map(line => line.split(' ')[0])).to.deep.equal([`${file}:7:7`])
  })

  it('asks many, each once', async () => {
    asked.length = 0
    const issuers = Array.from({ length: 30 }, (_, index) => ({
      issuer: `https://issuer${index}.example`,
      jwksUri: `${base}/jwks`,
      ...local,
    }))
    const { answered } = await ask({ [file]: { type: 'jwt', issuers } })
    expect({ answered: answered.length, asked: asked.length }).to.deep.equal({ answered: 30, asked: 30 })
  })
})
