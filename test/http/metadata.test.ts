import { expect } from 'chai'
import type { JSONWebKeySet } from 'jose'
import { generateKey } from '../../src/keys/generate-key.ts'
import { type Files, issuer, patched } from '../support/configuration.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { watchedStore } from '../support/stores.ts'
import { serverFor, type World, withServer } from '../support/world.ts'

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']

async function documentAt(at: World, path: string): Promise<Record<string, unknown>> {
  const answer = await at.server.request('GET', path)
  expect(answer.status, path).to.equal(200)
  expect(answer.headers.get('content-type')).to.equal('application/json')
  return answer.json
}

describe('the metadata', () => {
  describe('of an issuer without a path', () => {
    const at = serverFor()

    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
      it(`${path} names the issuer and every endpoint`, async () => {
        expect(await documentAt(at, path)).to.deep.include({
          issuer,
          token_endpoint: `${issuer}/token`,
          introspection_endpoint: `${issuer}/introspect`,
          revocation_endpoint: `${issuer}/revoke`,
          jwks_uri: `${issuer}/jwks`,
          grant_types_supported: [tokenExchange],
          response_types_supported: ['none'],
          scopes_supported: ['orders.read', 'orders.write', 'admin'],
          token_exchange_subject_token_types_supported: [types.accessToken, types.jwt],
          token_exchange_requested_token_types_supported: [types.accessToken, types.jwt],
        })
      })

      it(`${path} says how clients authenticate`, async () => {
        const document = await documentAt(at, path)
        for (const endpoint of ['token', 'introspection', 'revocation']) {
          expect(document[`${endpoint}_endpoint_auth_methods_supported`]).to.deep.equal(methods)
          const signing = document[`${endpoint}_endpoint_auth_signing_alg_values_supported`] as string[]
          expect(signing).to.include.members(['RS256', 'ES256'])
          expect(algorithms, 'asymmetric only, no none').to.include.members(signing)
        }
      })

      it(`${path} promises nothing that is not there, and has no empty list (RFC 8414 section 3.2)`, async () => {
        const document = await documentAt(at, path)
        for (const name of ['authorization_endpoint', 'registration_endpoint', 'userinfo_endpoint']) {
          expect(document).to.not.have.property(name)
        }
        for (const value of Object.values(document)) expect(value).to.not.deep.equal([]).and.not.equal(null)
      })

      it(`${path} may be kept for a while, and needs no authentication`, async () => {
        const answer = await at.server.request('GET', path)
        expect(answer.headers.get('cache-control')).to.match(/^public, max-age=\d+$/)
        expect((await at.server.request('HEAD', path)).status).to.equal(200)
      })
    }

    it('openid-configuration has what its readers insist on', async () => {
      expect(await documentAt(at, '/.well-known/openid-configuration')).to.deep.include({
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      })
    })
  })

  describe('of an issuer with a path', () => {
    for (const tenant of ['/tenant', '/tenant/', '/a/b']) {
      const base = tenant.replace(/\/$/, '')

      it(`${tenant}: stands where RFC 8414 section 3.1 and Discovery section 4 put it, and the endpoints below the issuer`, async () => {
        await withServer(
          files => patched(files, { 'server.json': { issuer: `https://sts.example.com${tenant}` } }),
          async at => {
            for (const path of [`/.well-known/oauth-authorization-server${base}`, `${base}/.well-known/openid-configuration`]) {
              const document = await documentAt(at, path)
              expect(document.issuer).to.equal(`https://sts.example.com${tenant}`)
              expect(document.token_endpoint).to.equal(`https://sts.example.com${base}/token`)
              expect(document.jwks_uri).to.equal(`https://sts.example.com${base}/jwks`)
            }
            for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration', '/jwks', '/token']) {
              expect((await at.server.request('GET', path)).status).to.equal(404)
            }
            expect((await documentAt(at, `${base}/jwks`)).keys).to.have.length(1)
          },
        )
      })

      it(`${tenant}: is a working server, addressed by issuer or token endpoint`, async () => {
        await withServer(
          files => patched(files, { 'server.json': { issuer: `https://sts.example.com${tenant}` } }),
          async at => {
            for (const aud of [`https://sts.example.com${tenant}`, `https://sts.example.com${base}/token`]) {
              const parameters = { grant_type: tokenExchange, subject_token: await at.person({ aud }), subject_token_type: types.jwt }
              const answer = await at.server.post(`${base}/token`, parameters, 'gateway')
              expect(answer.status, answer.text).to.equal(200)
              const token = String(answer.json.access_token)
              const shown = await at.server.post(`${base}/introspect`, { token }, 'gateway')
              expect(shown.json).to.include({ active: true, iss: `https://sts.example.com${tenant}` })
              expect((await at.server.post(`${base}/revoke`, { token }, 'gateway')).status).to.equal(200)
            }
            const other = { grant_type: tokenExchange, subject_token: await at.person({ aud: issuer }), subject_token_type: types.jwt }
            expect((await at.server.post(`${base}/token`, other, 'gateway')).json.error).to.equal('invalid_request')
          },
        )
      })
    }
  })

  it('says nothing of scopes where there are none', async () => {
    await withServer(
      files =>
        patched(files, {
          'server.json': { scopes: undefined },
          ...Object.fromEntries(['gateway', 'api'].map(client => [`clients/${client}.json`, { scopes: [] }])),
          'policies/access-token-managers/opaque.json': { scopes: undefined },
        }),
      async at => {
        expect(await documentAt(at, '/.well-known/oauth-authorization-server')).to.not.have.property('scopes_supported')
      },
    )
  })

  it('offers JWTs only where a manager makes them', async () => {
    await withServer(
      files =>
        patched(files, {
          'server.json': { defaults: { accessTokenManager: 'opaque' } },
          'policies/access-token-managers/api.json': undefined,
          'policies/access-token-managers/wide.json': undefined,
          'policies/token-processors/own.json': { accessTokenManagers: ['opaque'] },
          'policies/processor-policies/people.json': {
            issues: (files['policies/processor-policies/people.json'] as { issues: object[] }).issues.slice(1, 2),
          },
        }),
      async at => {
        const document = await documentAt(at, '/.well-known/oauth-authorization-server')
        expect(document.token_exchange_requested_token_types_supported).to.deep.equal([types.accessToken])
        expect((await documentAt(at, '/jwks')).keys).to.deep.equal([])
        expect((await at.issued()).token).to.not.include('.')
      },
    )
  })

  it('has no empty list where nothing is configured yet', async () => {
    await withServer(
      files => ({ 'server.json': { issuer, store: { type: 'memory' } }, ...pick(files, 'clients/bystander.json', 'secrets/bystander') }),
      async at => {
        for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
          const document = await documentAt(at, path)
          for (const [name, value] of Object.entries(document)) expect(value, name).to.not.deep.equal([])
        }
      },
    )
  })
})

describe('GET /jwks', () => {
  it('has the keys of JWT access token managers and no others: active, next and retired; the public half only', async () => {
    const keys = {
      old: await generateKey('ES256'),
      now: await generateKey('RS256'),
      soon: await generateKey('EdDSA'),
      unused: await generateKey('ES256'),
      decrypting: await generateKey('ECDH-ES+A256KW'),
    }
    const key = (name: keyof typeof keys, status: string, more: object = {}) => ({
      [`keys/${name}.json`]: { algorithm: keys[name].algorithm, status, privateKey: { file: `secrets/${name}.pem` }, ...more },
      [`secrets/${name}.pem`]: keys[name].privateKeyPem,
    })
    await withServer(
      files =>
        patched(files, {
          ...key('old', 'retired'),
          ...key('now', 'active', { replaces: 'old' }),
          ...key('soon', 'next', { replaces: 'now' }),
          ...key('unused', 'active'),
          ...key('decrypting', 'active'),
          'policies/access-token-managers/api.json': { signingKey: 'now' },
          'policies/access-token-managers/wide.json': { signingKey: 'old' },
        }),
      async at => {
        const jwks = (await documentAt(at, '/jwks')) as unknown as JSONWebKeySet
        expect(jwks.keys.map(({ kid }) => kid)).to.have.members([keys.old.kid, keys.now.kid, keys.soon.kid])
        for (const jwk of jwks.keys) {
          expect(jwk).to.include.keys('kty', 'kid', 'alg', 'use').and.not.include.any.keys('d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth')
          expect(jwk.use).to.equal('sig')
        }
        const answer = await at.server.request('GET', '/jwks')
        expect(answer.headers.get('cache-control')).to.match(/^public, max-age=\d+$/)
        expect(answer.text).to.not.include('"d"')
      },
    )
  })
})

describe('health', () => {
  const store = watchedStore()
  const at = serverFor(undefined, { store: store.open })

  it('GET /healthz: the process is alive, whatever else is down', async () => {
    for (const down of [false, true]) {
      store.isDown = () => down
      const answer = await at.server.request('GET', '/healthz')
      expect(answer.status).to.equal(200)
      expect(answer.json).to.deep.equal({ status: 'alive' })
    }
    store.isDown = () => false
  })

  it('GET /readyz: the store can be asked', async () => {
    const answer = await at.server.request('GET', '/readyz')
    expect(answer.status).to.equal(200)
    expect(answer.json).to.include({ status: 'ready' })
    expect(answer.headers.get('cache-control')).to.equal('no-store')
  })

  it('GET /readyz: 503 while it cannot, and 200 again when it can', async () => {
    store.isDown = ({ method }) => method === 'ping'
    const down = await at.server.request('GET', '/readyz')
    expect(down.status).to.equal(503)
    expect(down.json).to.include({ status: 'not ready' })
    expect(down.text).to.not.include('of the test')
    store.isDown = () => false
    expect((await at.server.request('GET', '/readyz')).status).to.equal(200)
  })

  it('needs no authentication and leaves no record', async () => {
    await at.server.request('GET', '/healthz')
    expect(at.server.records).to.deep.equal([])
  })
})

function pick(files: Files, ...names: string[]): Files {
  return Object.fromEntries(names.map(name => [name, files[name]]))
}
