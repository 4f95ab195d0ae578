import { expect } from 'chai'
import { secretOf } from '../support/configuration.ts'
import { grant, type Partners, startPartners, types } from './partners.ts'

/**
 * What Spring Security's RestClientTokenExchangeTokenResponseClient sends: `client_secret_basic` through Java's URLEncoder, the type `jwt` for
 * whatever the resource server read as a Jwt (so for access tokens of ours), always `requested_token_type`, never a target.
 */
describe('a request as Spring Security makes it', () => {
  let partners: Partners
  before(async () => {
    partners = await startPartners()
  })
  after(() => partners?.stop())

  const javaEncoded = (text: string) => encodeURIComponent(text).replaceAll('%20', '+').replaceAll('~', '%7E')

  async function post(id: string, parameters: Record<string, string>) {
    const credentials = Buffer.from(`${javaEncoded(id)}:${javaEncoded(secretOf(id))}`).toString('base64')
    const answer = await fetch(`${partners.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: grant, ...parameters }).toString(),
      headers: {
        authorization: `Basic ${credentials}`,
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
      },
    })
    return { status: answer.status, json: (await answer.json()) as Record<string, string> }
  }

  it('exchanges the access token that the API was called with, for its default target', async () => {
    const subject = { subject_token: await partners.people.sign(), subject_token_type: types.jwt }
    const incoming = await post('gateway', { ...subject, scope: 'orders.read' })

    const { status, json } = await post('spring', {
      requested_token_type: types.accessToken,
      subject_token: incoming.json.access_token as string,
      subject_token_type: types.jwt,
      scope: 'orders.read',
    })

    expect(status).to.equal(200)
    expect(json).to.include({ issued_token_type: types.accessToken, token_type: 'Bearer', scope: 'orders.read' })
    expect(json.access_token, 'a reference token, as the default says').to.match(/^[\w-]{40,}$/)
  })

  it('is refused for a foreign JWT, which its policy does not take', async () => {
    const { status, json } = await post('spring', {
      requested_token_type: types.accessToken,
      subject_token: await partners.people.sign(),
      subject_token_type: types.jwt,
    })
    expect({ status, error: json.error }).to.deep.equal({ status: 400, error: 'invalid_request' })
  })
})
