import { expect } from 'chai'
import { ClientCredentials } from 'simple-oauth2'
import { secretOf } from '../support/configuration.ts'
import { awkward, grant, type Partners, startPartners, types } from './partners.ts'

type Settings = Pick<ConstructorParameters<typeof ClientCredentials>[0], 'options' | 'http'>

describe('simple-oauth2', () => {
  let partners: Partners
  before(async () => {
    partners = await startPartners()
  })
  after(() => partners?.stop())

  // The library has no generic grant; what stands in the parameters goes over what it would send.
  async function exchange(client: { id: string; secret: string }, settings: Settings, more: object = {}) {
    const library = new ClientCredentials({
      client,
      auth: { tokenHost: partners.issuer, tokenPath: '/token', revokePath: '/revoke' },
      ...settings,
    })
    const parameters = { grant_type: grant, subject_token: await partners.people.sign(), subject_token_type: types.jwt, ...more }
    return library.getToken(parameters)
  }

  const methods: Array<[string, { id: string; secret: string }, Settings]> = [
    ['a Basic header that is encoded', awkward, { options: { credentialsEncodingMode: 'strict' } }],
    ['a Basic header that is not encoded', awkward, { options: { credentialsEncodingMode: 'loose' } }],
    ['a secret in the body', { id: 'poster', secret: secretOf('poster') }, { options: { authorizationMethod: 'body' } }],
  ]
  for (const [method, client, settings] of methods) {
    it(`exchanges with ${method}`, async () => {
      const { token, expired } = await exchange(client, settings)
      expect(token).to.include({ token_type: 'Bearer', issued_token_type: types.accessToken })
      expect(token.access_token).to.match(/^[\w-]+\.[\w-]+\.[\w-]+$/)
      expect(expired).to.be.a('function')
    })
  }

  it('knows when the token expires', async () => {
    const token = await exchange({ id: 'gateway', secret: secretOf('gateway') }, {})
    expect(token.expired()).to.equal(false)
    expect(token.expired(601)).to.equal(true)
  })

  it('repeats resource, and narrows the scope', async () => {
    const resource = ['https://api.example.com/wide/a', 'https://api.example.com/wide/b']
    const { token } = await exchange({ id: 'gateway', secret: secretOf('gateway') }, {}, { resource, scope: ['orders.read'] })
    expect(token.scope).to.equal('orders.read')
  })

  it('revokes, when told not to insist on JSON where RFC 7009 wants no content', async () => {
    const token = await exchange({ id: 'gateway', secret: secretOf('gateway') }, { http: { json: true } }, { audience: 'billing' })
    const isActive = async () => (await introspect(String(token.token.access_token))).active
    expect(await isActive()).to.equal(true)
    await token.revoke('access_token')
    expect(await isActive()).to.equal(false)
  })

  it('fails with the error of a refusal', async () => {
    const error = await exchange({ id: 'poster', secret: 'wrong'.repeat(9) }, { options: { authorizationMethod: 'body' } }).then(
      () => expect.fail('accepted'),
      error => error,
    )
    expect(error.output.statusCode).to.equal(401)
    expect(error.data.payload.error).to.equal('invalid_client')
  })

  async function introspect(token: string) {
    const body = new URLSearchParams({ token, client_id: 'poster', client_secret: secretOf('poster') })
    const asPoster = await fetch(`${partners.issuer}/introspect`, { method: 'POST', body })
    expect(await asPoster.json(), 'the token of another client').to.deep.equal({ active: false })
    const authorization = `Basic ${btoa(`gateway:${secretOf('gateway')}`)}`
    const answer = await fetch(`${partners.issuer}/introspect`, {
      method: 'POST',
      body: new URLSearchParams({ token }),
      headers: { authorization },
    })
    return (await answer.json()) as { active: boolean }
  }
})
