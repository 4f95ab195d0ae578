import { expect } from 'chai'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { secretOf } from '../support/configuration.ts'
import { awkward, grant, type Partners, startPartners, types } from './partners.ts'

describe('openid-client', () => {
  let partners: Partners
  before(async () => {
    partners = await startPartners()
  })
  after(() => partners?.stop())

  // The two lines that a developer writes who reads nothing about us.
  const discover = (id: string, secret?: string, method?: openid.ClientAuth, algorithm: 'oidc' | 'oauth2' = 'oidc') =>
    openid.discovery(new URL(partners.issuer), id, secret, method, { algorithm, execute: [openid.allowInsecureRequests] })

  async function exchange(config: openid.Configuration, more: Record<string, string> | URLSearchParams = {}) {
    const parameters = new URLSearchParams(more)
    parameters.set('subject_token', await partners.people.sign())
    parameters.set('subject_token_type', types.jwt)
    return openid.genericGrantRequest(config, grant, parameters)
  }

  const verify = (token: string, audience: string) =>
    jwtVerify(token, createRemoteJWKSet(new URL(`${partners.issuer}/jwks`), { timeoutDuration: 30_000 }), {
      issuer: partners.issuer,
      audience,
      typ: 'at+jwt',
    })

  for (const algorithm of ['oidc', 'oauth2'] as const) {
    it(`discovers (${algorithm}) and exchanges with its default, client_secret_post`, async () => {
      const config = await discover('poster', secretOf('poster'), undefined, algorithm)
      expect(config.serverMetadata().issuer).to.equal(partners.issuer)

      const answer = await exchange(config)

      const { payload, protectedHeader } = await verify(answer.access_token, 'https://api.example.com')
      expect(protectedHeader.typ).to.equal('at+jwt')
      expect(payload).to.include({ sub: 'alice', client_id: 'poster', email: 'alice@example.com' })
      expect(answer).to.include({ token_type: 'bearer', issued_token_type: types.accessToken, scope: 'orders.read orders.write' })
      expect(answer.expires_in).to.be.within(590, 600)
    })
  }

  it('exchanges with client_secret_basic, whose strict escapes are undone', async () => {
    const config = await discover(awkward.id, undefined, openid.ClientSecretBasic(awkward.secret))
    const answer = await exchange(config)
    expect((await verify(answer.access_token, 'https://api.example.com')).payload.client_id).to.equal(awkward.id)
  })

  it('exchanges with private_key_jwt, several times with an assertion of its own each', async () => {
    const config = await discover('signer', undefined, openid.PrivateKeyJwt(partners.signerKey))
    for (const _ of [1, 2, 3]) expect(await exchange(config)).to.have.property('issued_token_type', types.accessToken)
  })

  it('sends resource twice, and both are served by one target', async () => {
    const config = await discover('gateway', undefined, openid.ClientSecretBasic(secretOf('gateway')))
    const resources = ['https://api.example.com/wide/a', 'https://api.example.com/wide/b']
    const answer = await exchange(config, new URLSearchParams(resources.map((resource): [string, string] => ['resource', resource])))
    expect((await verify(answer.access_token, resources[1] as string)).payload.aud).to.deep.equal(resources)
  })

  it('names an actor, and the new token does', async () => {
    const config = await discover('poster', secretOf('poster'))
    const actor = { actor_token: await partners.agents.sign({ sub: 'agent-7' }), actor_token_type: types.jwt }
    const answer = await exchange(config, { ...actor, audience: 'api', scope: 'orders.read' })
    const { payload } = await verify(answer.access_token, 'https://api.example.com')
    expect(payload).to.deep.include({ act: { iss: 'https://agents.example', sub: 'agent-7' }, scope: 'orders.read' })
    expect(answer.scope).to.equal('orders.read')
  })

  it('introspects what it was issued, revokes it, and then it is inactive', async () => {
    const config = await discover('poster', secretOf('poster'))
    for (const target of ['billing', 'api']) {
      const { access_token: token } = await exchange(config, { audience: target })
      expect(await openid.tokenIntrospection(config, token)).to.include({ active: true, sub: 'alice', iss: partners.issuer })
      await openid.tokenRevocation(config, token, { token_type_hint: 'refresh_token' })
      expect(await openid.tokenIntrospection(config, token)).to.deep.equal({ active: false })
    }
  })

  it('shows the error of a refusal', async () => {
    const config = await discover('poster', secretOf('poster'))
    const error = await refusalOf(exchange(config, { resource: 'https://elsewhere.example/' }))
    expect(error).to.include({ status: 400, error: 'invalid_target', error_description: 'the resource is unknown here' })
  })

  it('shows the error of a wrong secret by client_secret_post: no challenge hides it', async () => {
    const error = await refusalOf(exchange(await discover('poster', 'wrong'.repeat(9))))
    expect(error).to.include({ status: 401, error: 'invalid_client' })
  })

  it('sees the challenge after a wrong secret by client_secret_basic', async () => {
    const config = await discover('gateway', undefined, openid.ClientSecretBasic('wrong'.repeat(9)))
    const error = await exchange(config).then(
      () => expect.fail('accepted'),
      error => error,
    )
    expect(error).to.be.instanceOf(openid.WWWAuthenticateChallengeError)
    expect(error.cause[0]).to.deep.include({ scheme: 'basic', parameters: { realm: 'token', charset: 'UTF-8' } })
  })
})

async function refusalOf(attempt: Promise<unknown>): Promise<openid.ResponseBodyError> {
  try {
    await attempt
  } catch (error) {
    expect(error).to.be.instanceOf(openid.ResponseBodyError)
    return error as openid.ResponseBodyError
  }
  return expect.fail('accepted')
}
