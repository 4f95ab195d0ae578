import { expect } from 'chai'
import * as oauth from 'oauth4webapi'
import { secretOf } from '../support/configuration.ts'
import { awkward, grant, type Partners, startPartners, types } from './partners.ts'

const insecure = { [oauth.allowInsecureRequests]: true }

describe('oauth4webapi', () => {
  let partners: Partners
  before(async () => {
    partners = await startPartners()
  })
  after(() => partners?.stop())

  const discover = async (algorithm: 'oidc' | 'oauth2' = 'oauth2') => {
    const issuer = new URL(partners.issuer)
    return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm }))
  }

  const ask = async (as: oauth.AuthorizationServer, id: string, auth: oauth.ClientAuth, more: Array<[string, string]> = []) => {
    const parameters = new URLSearchParams([...more, ['subject_token', await partners.people.sign()], ['subject_token_type', types.jwt]])
    return oauth.genericTokenEndpointRequest(as, { client_id: id }, auth, grant, parameters, insecure)
  }

  const exchange = async (id: string, auth: oauth.ClientAuth, more: Array<[string, string]> = []) => {
    const as = await discover()
    const client = { client_id: id }
    return oauth.processGenericTokenEndpointResponse(as, client, await ask(as, id, auth, more))
  }

  /** What an API does that was written with the same library. */
  const validate = async (token: string, audience: string) => {
    const request = new Request('https://api.example.com/orders', { headers: { authorization: `Bearer ${token}` } })
    return oauth.validateJwtAccessToken(await discover(), request, audience, { ...insecure, signingAlgorithms: ['ES256'] })
  }

  it('accepts both metadata documents, and they agree', async () => {
    const [oidc, oauth2] = [await discover('oidc'), await discover('oauth2')]
    expect(oidc.issuer).to.equal(partners.issuer)
    expect(oidc).to.deep.include(oauth2)
    expect(oidc).to.include.keys('subject_types_supported', 'id_token_signing_alg_values_supported')
  })

  const methods: Array<[string, string, () => oauth.ClientAuth]> = [
    ['client_secret_basic', awkward.id, () => oauth.ClientSecretBasic(awkward.secret)],
    ['client_secret_post', 'poster', () => oauth.ClientSecretPost(secretOf('poster'))],
    ['private_key_jwt', 'signer', () => oauth.PrivateKeyJwt(partners.signerKey)],
  ]
  for (const [method, id, auth] of methods) {
    it(`exchanges with ${method}; an API that uses validateJwtAccessToken takes the token`, async () => {
      const answer = await exchange(id, auth())
      expect(answer).to.include({ token_type: 'bearer', issued_token_type: types.accessToken })
      const claims = await validate(answer.access_token, 'https://api.example.com')
      expect(claims).to.include({ iss: partners.issuer, sub: 'alice', client_id: id, scope: 'orders.read orders.write' })
    })
  }

  it('is refused by an API that the token is not meant for', async () => {
    const { access_token: token } = await exchange('poster', oauth.ClientSecretPost(secretOf('poster')))
    const refused = await validate(token, 'https://billing.example.com').then(
      () => undefined,
      error => error,
    )
    expect(refused).to.be.instanceOf(Error)
  })

  it('sends resource twice', async () => {
    const resources = ['https://api.example.com/wide/a', 'https://api.example.com/wide/b']
    const auth = oauth.ClientSecretBasic(secretOf('gateway'))
    const answer = await exchange(
      'gateway',
      auth,
      resources.map(resource => ['resource', resource]),
    )
    expect((await validate(answer.access_token, resources[0] as string)).aud).to.deep.equal(resources)
  })

  it('hands on a token of ours with an actor', async () => {
    const auth = oauth.ClientSecretBasic(secretOf('gateway'))
    const { access_token: own } = await exchange('gateway', auth, [['scope', 'orders.read']])
    const as = await discover()
    const parameters = {
      ...{ subject_token: own, subject_token_type: types.accessToken },
      ...{ actor_token: await partners.agents.sign({ sub: 'agent-7' }), actor_token_type: types.jwt },
      ...{ requested_token_type: types.jwt },
    }
    const client = { client_id: 'gateway' }
    const response = await oauth.genericTokenEndpointRequest(as, client, auth, grant, parameters, insecure)
    const answer = await oauth.processGenericTokenEndpointResponse(as, client, response)
    expect(answer.issued_token_type).to.equal(types.jwt)
    const claims = await validate(answer.access_token, 'https://api.example.com')
    expect(claims).to.deep.include({ act: { iss: 'https://agents.example', sub: 'agent-7' }, scope: 'orders.read' })
  })

  it('introspects and revokes, with private_key_jwt for each call', async () => {
    const as = await discover()
    const client = { client_id: 'signer' }
    const auth = oauth.PrivateKeyJwt(partners.signerKey)
    const { access_token: token } = await exchange('signer', auth, [['audience', 'billing']])
    const introspect = async () =>
      oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, token, insecure))

    expect(await introspect()).to.include({ active: true, sub: 'alice', scope: 'orders.read' })
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, token, insecure))
    expect(await introspect()).to.deep.equal({ active: false })
  })

  it('finds the error in a refusal', async () => {
    const as = await discover()
    const response = await ask(as, 'poster', oauth.ClientSecretPost(secretOf('poster')), [['scope', 'admin']])
    const error = await oauth.processGenericTokenEndpointResponse(as, { client_id: 'poster' }, response).then(
      () => expect.fail('accepted'),
      error => error,
    )
    expect(error).to.be.instanceOf(oauth.ResponseBodyError)
    expect(error).to.include({ status: 400, error: 'invalid_scope' })
  })

  it('is refused when its assertion is for the token endpoint instead of the issuer (rfc7523bis)', async () => {
    const as = await discover()
    const auth = oauth.PrivateKeyJwt(partners.signerKey, {
      [oauth.modifyAssertion]: (_header, claims) => {
        claims.aud = [partners.issuer, `${partners.issuer}/token`]
      },
    })
    const response = await ask(as, 'signer', auth)
    expect(response.status).to.equal(401)
    expect(await response.json()).to.have.property('error', 'invalid_client')
    expect(response.headers.get('www-authenticate')).to.equal(null)
  })
})
