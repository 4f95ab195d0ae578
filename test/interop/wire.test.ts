import { expect } from 'chai'
import { secretOf } from '../support/configuration.ts'
import { grant, type Partners, startPartners, types } from './partners.ts'

describe('the forms that requests of real clients have', () => {
  let partners: Partners
  before(async () => {
    partners = await startPartners()
  })
  after(() => partners?.stop())

  const usual = async () => ({ subject_token: await partners.people.sign(), subject_token_type: types.jwt, grant_type: grant })
  const authorization = `Basic ${btoa(`gateway:${secretOf('gateway')}`)}`

  async function post(body: string, headers: Record<string, string>) {
    const answer = await fetch(`${partners.issuer}/token`, {
      method: 'POST',
      body: Buffer.from(body),
      headers: { authorization, ...headers },
    })
    return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Record<string, unknown> }
  }

  const mediaTypes = [
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded;charset=UTF-8',
    'application/x-www-form-urlencoded; charset=utf-8',
    'application/x-www-form-urlencoded; charset="UTF-8"',
    'Application/X-WWW-Form-URLencoded',
  ]
  for (const mediaType of mediaTypes) {
    it(`takes content-type: ${mediaType}`, async () => {
      const { status, headers } = await post(new URLSearchParams(await usual()).toString(), { 'content-type': mediaType })
      expect(status).to.equal(200)
      expect(headers.get('content-type')).to.equal('application/json')
      expect(headers.get('cache-control')).to.equal('no-store')
      expect(headers.get('pragma')).to.equal('no-cache')
    })
  }

  const otherTypes = ['', 'application/x-www-form-urlencoded; charset=iso-8859-1', 'text/plain', 'multipart/form-data; boundary=x', 'x']
  for (const mediaType of otherTypes) {
    it(`refuses content-type: ${mediaType || '(none)'}`, async () => {
      const { status, json } = await post(new URLSearchParams(await usual()).toString(), { 'content-type': mediaType })
      expect({ status, error: json.error }).to.deep.equal({ status: 400, error: 'invalid_request' })
    })
  }

  it('takes parameters without a value for parameters that were not sent', async () => {
    const empty = { scope: '', audience: '', resource: '', requested_token_type: '', actor_token: '', actor_token_type: '' }
    const body = new URLSearchParams({ ...empty, ...(await usual()) }).toString()
    const { status, json } = await post(body, { 'content-type': 'application/x-www-form-urlencoded' })
    expect(status).to.equal(200)
    expect(json.scope).to.equal('orders.read orders.write')
  })

  it('takes a space as a plus sign and as %20, and hexadecimal digits of either case', async () => {
    const rest = new URLSearchParams(await usual()).toString()
    for (const scope of ['orders.read+orders.write', 'orders.read%20orders.write', 'orders%2eread+orders%2Ewrite']) {
      const { status, json } = await post(`scope=${scope}&${rest}`, { 'content-type': 'application/x-www-form-urlencoded' })
      expect({ status, scope: json.scope }, scope).to.deep.equal({ status: 200, scope: 'orders.read orders.write' })
    }
  })

  it('takes the scheme of HTTP authentication in any case', async () => {
    const body = new URLSearchParams(await usual()).toString()
    for (const scheme of ['basic', 'BASIC', 'bAsIc']) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: authorization.replace('Basic', scheme) }
      expect((await post(body, headers)).status, scheme).to.equal(200)
    }
  })
})
