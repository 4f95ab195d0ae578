import { OAuth2Client, OAuth2HttpError, type OAuth2Token } from '@badgateway/oauth2-client'
import { expect } from 'chai'
import { secretOf } from '../support/configuration.ts'
import { awkward, colon, grant, type Partners, startPartners, types } from './partners.ts'

type Method = 'client_secret_basic' | 'client_secret_post' | 'client_secret_basic_interop'

describe('@badgateway/oauth2-client', () => {
  let partners: Partners
  before(async () => {
    partners = await startPartners()
  })
  after(() => partners?.stop())

  const clientOf = (clientId: string, clientSecret: string, authenticationMethod?: Method) =>
    new OAuth2Client({ server: partners.issuer, clientId, clientSecret, ...(authenticationMethod && { authenticationMethod }) })

  async function exchange(client: OAuth2Client, more: object = {}): Promise<OAuth2Token> {
    const body = { grant_type: grant, subject_token: await partners.people.sign(), subject_token_type: types.jwt, ...more }
    // The library sends any body; its types know the grants only that it has methods for.
    return client.tokenResponseToOAuth2Token(client.request('tokenEndpoint', body as never))
  }

  const methods: Array<[Method | undefined, string, string]> = [
    [undefined, awkward.id, awkward.secret],
    ['client_secret_basic', awkward.id, awkward.secret],
    ['client_secret_basic_interop', 'gateway', secretOf('gateway')],
    ['client_secret_basic_interop', colon.id, colon.secret],
    ['client_secret_post', 'poster', secretOf('poster')],
  ]
  for (const [method, id, secret] of methods) {
    it(`discovers and exchanges with ${method ?? 'the method that the metadata suggest'}, as ${id}`, async () => {
      const client = clientOf(id, secret, method)
      const token = await exchange(client)
      expect(token.accessToken).to.match(/^[\w-]+\.[\w-]+\.[\w-]+$/)
      expect(token.scope).to.deep.equal(['orders.read', 'orders.write'])
      expect(token.expiresAt).to.be.closeTo(Date.now() + 600_000, 30_000)
      expect(client.settings.tokenEndpoint, 'from the metadata').to.equal(`${partners.issuer}/token`)
    })
  }

  it('refuses a pair of which only the colons are escaped, where that cannot be told from a secret with percent signs', async () => {
    const error = await exchange(clientOf(awkward.id, awkward.secret, 'client_secret_basic_interop')).catch(error => error)
    expect(error).to.be.instanceOf(OAuth2HttpError)
    expect(error).to.include({ oauth2Code: 'invalid_client' })
  })

  it('repeats resource', async () => {
    const resource = ['https://api.example.com/wide/a', 'https://api.example.com/wide/b']
    const { accessToken } = await exchange(clientOf('gateway', secretOf('gateway')), { resource })
    const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
    expect(claims.aud).to.deep.equal(resource)
  })

  it('introspects and revokes', async () => {
    const client = clientOf('gateway', secretOf('gateway'))
    const token = await exchange(client, { audience: 'billing' })
    expect(await client.introspect(token)).to.include({ active: true, sub: 'alice', client_id: 'gateway' })
    await client.revoke(token)
    expect(await client.introspect(token)).to.deep.equal({ active: false })
  })

  it('fails with the error of a refusal', async () => {
    const error = await exchange(clientOf('poster', secretOf('poster'), 'client_secret_post'), { subject_token: 'a.b.c' }).catch(e => e)
    expect(error).to.be.instanceOf(OAuth2HttpError)
    expect(error).to.include({ oauth2Code: 'invalid_request', httpCode: 400 })
  })
})
