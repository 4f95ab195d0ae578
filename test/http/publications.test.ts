import { X509Certificate } from 'node:crypto'
import { expect } from 'chai'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { makeSigner, now } from '../saml/forge.ts'
import { certifiedKey } from '../support/certificates.ts'
import { type Files, issuer, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { assertionIn, intoAssertion, samlIssuer, samlServerFor, withMappings } from '../support/saml.ts'
import { serverFor, type World } from '../support/world.ts'

const idp = makeSigner()
const nextKey = certifiedKey('RS256', 'saml-next', 7300)
const retiredKey = certifiedKey('ES256', 'saml-old', 7300)

/** The files of a key with its certificate. */
const key = (id: string, { algorithm, privateKeyPem, certificatePem }: typeof nextKey, more: object) => ({
  [`keys/${id}.json`]: { algorithm, privateKey: { file: `secrets/${id}.pem` }, certificate: { file: `secrets/${id}.crt` }, ...more },
  [`secrets/${id}.pem`]: privateKeyPem,
  [`secrets/${id}.crt`]: certificatePem,
})

/** The certificates that an EntityDescriptor shows for signing. */
function certificatesIn(metadata: string): X509Certificate[] {
  const descriptors = metadata.match(/<md:KeyDescriptor use="signing">.*?<\/md:KeyDescriptor>/g) ?? []
  return descriptors.map(descriptor => {
    const [, base64 = ''] = /<ds:X509Certificate>([^<]*)</.exec(descriptor) ?? []
    return new X509Certificate(Buffer.from(base64, 'base64'))
  })
}

/** The entity that a server tells of without being asked for one, or by name. */
async function metadataOf(at: World, entity?: string): Promise<string> {
  const answer = await at.server.request('GET', `/saml/metadata${entity === undefined ? '' : `?entity=${encodeURIComponent(entity)}`}`)
  expect(answer.status, answer.text).to.equal(200)
  expect(answer.headers.get('content-type')).to.match(/^application\/samlmetadata\+xml/)
  expect(answer.headers.get('cache-control')).to.match(/^public, max-age=\d+$/)
  expect(answer.text.match(/<md:EntityDescriptor /g)).to.have.length(1)
  return answer.text
}

describe('GET /saml/metadata', () => {
  describe('of a server with one SAML issuer', () => {
    const at = samlServerFor(idp, {
      ...key('saml-next', nextKey, { status: 'next', replaces: 'saml' }),
      ...key('saml-old', retiredKey, { status: 'retired' }),
      'keys/saml.json': { replaces: 'saml-old' },
    })

    it('is that issuer, by name or without', async () => {
      const metadata = await metadataOf(at)
      expect(await metadataOf(at, samlIssuer)).to.equal(metadata)
      expect(metadata).to.include(`entityID="${samlIssuer}"`).and.to.include('<md:IDPSSODescriptor ')
    })

    it('names both versions, which two generators make', async () => {
      const [, protocols = ''] = /protocolSupportEnumeration="([^"]*)"/.exec(await metadataOf(at)) ?? []
      expect(protocols.split(' ')).to.have.members(['urn:oasis:names:tc:SAML:2.0:protocol', 'urn:oasis:names:tc:SAML:1.1:protocol'])
    })

    it('has the active key and the next one, each once, and not the retired one', async () => {
      const shown = certificatesIn(await metadataOf(at))
      expect(shown.map(({ subject }) => subject)).to.deep.equal(['CN=saml', 'CN=saml-next'])
    })

    it('has the key that an assertion is signed with', async () => {
      const [active] = certificatesIn(await metadataOf(at))
      const xml = assertionIn(await at.issued({ audience: 'ledger' }))
      expect(xml).to.include(`<ds:X509Certificate>${active?.raw.toString('base64')}</ds:X509Certificate>`)
    })

    it('has no private key', async () => {
      const metadata = await metadataOf(at)
      // Near its end a key has what is private; its modulus is not.
      const secret = nextKey.privateKeyPem.split('\n').at(-6) ?? ''
      expect(secret).to.have.length(64)
      expect(metadata).to.not.include(secret).and.to.not.include('PRIVATE')
    })

    for (const entity of ['https://sts.example.com', `${samlIssuer}/`, '', 'constructor', '__proto__', '<script>', 'ä']) {
      it(`does not know the entity ${JSON.stringify(entity)}`, async () => {
        const answer = await at.server.request('GET', `/saml/metadata?entity=${encodeURIComponent(entity)}`)
        expect(answer.status).to.equal(404)
        expect(answer.json.error).to.equal('not_found')
        expect(answer.text).to.not.include('<script')
      })
    }

    it('takes one entity only', async () => {
      const twice = `/saml/metadata?entity=${encodeURIComponent(samlIssuer)}&entity=x`
      expect((await at.server.request('GET', twice)).status).to.equal(404)
    })

    it('answers HEAD, and refuses what would change something', async () => {
      expect((await at.server.request('HEAD', '/saml/metadata')).status).to.equal(200)
      for (const method of ['POST', 'PUT', 'DELETE']) expect((await at.server.request(method, '/saml/metadata')).status).to.equal(405)
    })

    it('leaves no audit record', async () => {
      const before = at.server.records.length
      await metadataOf(at)
      expect(at.server.records.length).to.equal(before)
    })
  })

  describe('of a server with several SAML issuers', () => {
    const second = 'urn:example:second?a=b&c'
    const at = samlServerFor(idp, files => ({
      ...withMappings(files, [], [{ tokenGenerator: 'second', attributes: intoAssertion }]),
      ...key('second', nextKey, { status: 'active' }),
      'policies/token-generators/second.json': {
        ...(files['policies/token-generators/ledger-saml.json'] as object),
        issuer: second,
        signingKey: 'second',
        subject: { format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', recipient: 'https://x.example' },
      },
      'policies/generator-groups/second.json': {
        audiences: ['second'],
        generators: { [types.saml2]: 'second' },
        default: types.saml2,
      },
    }))

    it('is a list of them, whose addresses lead to each', async () => {
      const answer = await at.server.request('GET', '/saml/metadata')
      expect(answer.status).to.equal(200)
      expect(answer.headers.get('content-type')).to.equal('application/json')
      const entities = answer.json.entities as Array<{ entityId: string; metadata: string }>
      expect(entities.map(({ entityId }) => entityId)).to.have.members([samlIssuer, second])
      for (const { entityId, metadata } of entities) {
        const { origin, pathname, search } = new URL(metadata)
        expect(origin).to.equal(issuer)
        const found = await at.server.request('GET', pathname + search)
        expect(found.text).to.include(`entityID="${entityId.replaceAll('&', '&amp;')}"`)
      }
    })

    it('and each has its own key and name format', async () => {
      const [one, other] = [await metadataOf(at, samlIssuer), await metadataOf(at, second)]
      expect(certificatesIn(one).map(({ subject }) => subject)).to.deep.equal(['CN=saml'])
      expect(certificatesIn(other).map(({ subject }) => subject)).to.deep.equal(['CN=saml-next'])
      expect(other).to.include('nameid-format:persistent</md:NameIDFormat>')
      expect(one).to.not.include('nameid-format:persistent')
      expect(other).to.not.include('SAML:1.1:protocol')
    })
  })

  describe('of a server without any', () => {
    const at = serverFor()

    it('is not there', async () => {
      for (const path of ['/saml/metadata', '/saml/metadata?entity=x']) {
        const answer = await at.server.request('GET', path)
        expect(answer.status).to.equal(404)
        expect(answer.json.error).to.equal('not_found')
      }
    })
  })

  describe('of a server whose issuer has a path', () => {
    const at = samlServerFor(idp, { 'server.json': { issuer: `${issuer}/tenant/` } })

    it('stands below it, and so do the issuers of JWTs', async () => {
      expect((await at.server.request('GET', '/tenant/saml/metadata')).text).to.include(`entityID="${samlIssuer}"`)
      expect((await at.server.request('GET', '/saml/metadata')).status).to.equal(404)
      const { json } = await at.server.request('GET', '/tenant/issuers/ledger-jwt/.well-known/openid-configuration')
      expect(json).to.include({ issuer: `${issuer}/tenant/issuers/ledger-jwt`, jwks_uri: `${issuer}/tenant/issuers/ledger-jwt/jwks` })
      expect((await at.server.request('GET', '/issuers/ledger-jwt/jwks')).status).to.equal(404)
    })
  })
})

describe('GET /issuers/<generator>', () => {
  const named = 'https://tokens.example/of-us'
  const at = samlServerFor(idp, (files: Files) =>
    withMappings(
      patched(files, {
        ...key('jwt-next', nextKey, { status: 'next', replaces: 'api' }),
        'policies/token-generators/named.json': {
          ...(files['policies/token-generators/ledger-jwt.json'] as object),
          issuer: named,
          signingKey: 'jwt-next',
        },
        'policies/token-generators/own.json': {
          ...(files['policies/token-generators/ledger-jwt.json'] as object),
          signingKey: 'saml',
        },
        'policies/generator-groups/named.json': {
          audiences: ['named'],
          generators: { [types.jwt]: 'named', 'urn:example:own': 'own' },
          default: types.jwt,
        },
      }),
      [],
      ['named', 'own'].map(tokenGenerator => ({ tokenGenerator, attributes: { sub: 'policy.subject', email: 'policy.email' } })),
    ),
  )
  const read = async (path: string) => {
    const answer = await at.server.request('GET', path)
    expect(answer.status, path).to.equal(200)
    expect(answer.headers.get('content-type')).to.equal('application/json')
    expect(answer.headers.get('cache-control')).to.match(/^public, max-age=\d+$/)
    return answer.json
  }

  for (const [generator, expected] of [
    ['ledger-jwt', `${issuer}/issuers/ledger-jwt`],
    ['named', named],
    ['own', `${issuer}/issuers/own`],
  ] as const) {
    it(`${generator}: discovery names the issuer, and its keys verify its tokens`, async () => {
      const discovery = await read(`/issuers/${generator}/.well-known/openid-configuration`)
      expect(discovery).to.include({ issuer: expected, jwks_uri: `${issuer}/issuers/${generator}/jwks` })
      const jwks = (await read(`/issuers/${generator}/jwks`)) as unknown as JSONWebKeySet
      const target = generator === 'ledger-jwt' ? 'ledger' : 'named'
      const requested_token_type = generator === 'own' ? 'urn:example:own' : types.jwt
      const { token } = await at.issued({ audience: target, requested_token_type })
      const options = { issuer: expected, audience: 'https://ledger.example.com', currentDate: new Date(now * 1000) }
      const { protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), options)
      expect(discovery.id_token_signing_alg_values_supported).to.include(protectedHeader.alg)
      expect(jwks.keys.every(({ d, use }) => d === undefined && use === 'sig')).to.equal(true)
    })
  }

  it('has the keys of its own line, the next one too, and no others', async () => {
    const algorithms = async (generator: string) =>
      ((await read(`/issuers/${generator}/jwks`)).keys as Array<{ alg: string }>).map(({ alg }) => alg)
    expect(await algorithms('ledger-jwt')).to.have.members(['ES256', 'RS256'])
    expect(await algorithms('own')).to.deep.equal(['ES256'])
  })

  it('does not add its keys to those of access tokens', async () => {
    const own = (await read('/issuers/own/jwks')).keys as Array<{ kid: string }>
    const server = (await read('/jwks')).keys as Array<{ kid: string }>
    expect(server.map(({ kid }) => kid)).to.not.include(own[0]?.kid)
  })

  for (const generator of ['ledger-saml', 'ledger', 'nobody', 'constructor', '__proto__', 'ledger-jwt%00']) {
    it(`knows no ${generator}`, async () => {
      for (const path of ['jwks', '.well-known/openid-configuration']) {
        const answer = await at.server.request('GET', `/issuers/${generator}/${path}`)
        expect(answer.status).to.equal(404)
        expect(answer.json.error).to.equal('not_found')
      }
    })
  }
})

describe('the metadata of a server with SAML', () => {
  const at = samlServerFor(idp)

  for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
    it(`${path} lists the token types that are taken and made`, async () => {
      const { json } = await at.server.request('GET', path)
      expect(json.token_exchange_subject_token_types_supported).to.have.members([types.accessToken, types.jwt, types.saml1, types.saml2])
      expect(json.token_exchange_requested_token_types_supported).to.have.members([types.accessToken, types.jwt, types.saml1, types.saml2])
    })
  }
})
