import { expect } from 'chai'
import type { Explanation } from '../../src/explain/explanation.ts'
import { ChangingServer } from '../reload/changing-server.ts'
import { messageOf } from '../sts/asking.ts'
import { certify } from '../support/certificate-authority.ts'
import { freePort } from '../support/free-port.ts'
import { types } from '../support/oauth.ts'

const bearer = 'the-token-of-administrators'

/** Ten are free in five minutes; those five minutes may end while they are made, and the next begin. */
const mostGuesses = 22

describe('the listener of administrators', function () {
  this.timeout(60_000)
  let server: ChangingServer
  let address: string
  before(async () => {
    const port = await freePort()
    address = `http://127.0.0.1:${port}`
    const contract = {
      subject: { type: 'string' },
      email: { type: 'string' },
      groups: { type: 'array', items: { type: 'string' }, log: true },
    }
    const mapping = {
      ...{ subjectTokenType: types.jwt, subjectTokenProcessor: 'people' },
      lookups: { person: { dataStore: 'people', where: { sub: '{subject.sub}' }, attributes: ['groups'] } },
      attributes: { subject: 'subject.sub', email: 'subject.email', groups: 'subject.groups' },
    }
    server = await ChangingServer.start(
      {
        'server.json': { admin: { listen: { port }, bearer: { file: 'secrets/admin' } } },
        'secrets/admin': bearer,
        'people.csv': 'sub,groups\nalice,app-secret-project\n',
        'policies/data-stores/people.json': {
          ...{ type: 'table', file: 'people.csv', keys: ['sub'] },
          attributes: { sub: { type: 'string' }, groups: { type: 'string' } },
        },
        'policies/processor-policies/people.json': { contract, processors: [mapping] },
      },
      2,
    )
  })
  after(() => server.end())

  const ask = (body: unknown, headers: Record<string, string> = {}, path = '/admin/explain') =>
    fetch(`${address}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })

  async function explained(parameters: Record<string, unknown>): Promise<Explanation> {
    const answer = await ask({ client: 'gateway', parameters: { subject_token_type: types.jwt, ...parameters } })
    expect(answer.status).to.equal(200)
    return (await answer.json()) as Explanation
  }

  it('explains what would be issued, and shows loggable attributes only', async () => {
    const { outcome, steps, token } = await explained({ subject_token: await server.people.sign({ email: 'alice@example.com' }) })
    expect(outcome).to.equal('issued')
    expect(token?.claims).to.include({ sub: '***', email: '***', groups: '***', client_id: 'gateway' })
    const values = steps.find(({ step }) => step === 'fulfil-contract')?.expressions?.map(({ attribute, value }) => [attribute, value])
    expect(values).to.deep.equal([
      ['subject', '***'],
      ['email', '***'],
      ['groups', ['app-orders']],
    ])
    expect(JSON.stringify([steps, token])).to.not.match(/alice@example\.com|eyJ[\w-]+\.eyJ/)
    expect(steps.find(({ step }) => step === 'process-tokens')?.facts).to.have.nested.include({ 'subject.subject': 'alice' })
  })

  it('tells which lookups were made, and neither what was asked nor what was found', async () => {
    const { steps } = await explained({ subject_token: await server.people.sign({ email: 'alice@example.com' }) })
    const [lookup, ...others] = steps.find(({ step }) => step === 'fulfil-contract')?.lookups ?? []
    expect(others).to.deep.equal([])
    expect(lookup).to.deep.include({
      ...{ name: 'person', dataStore: 'policies/data-stores/people.json', query: 'sub = "***"', outcome: 'found' },
      ...{ found: [{ groups: '***' }], setting: 'policies/processor-policies/people.json processors[0].lookups.person' },
    })
    expect(JSON.stringify(steps)).to.not.include('secret-project')
  })

  it('explains a refusal, with the setting', async () => {
    const { refusal } = await explained({ subject_token: await server.people.sign(), scope: 'admin' })
    expect(refusal).to.include({ step: 'grant-scope', error: 'invalid_scope', setting: 'clients/gateway.json scopes' })
  })

  it('explains no request with a certificate where clients are asked for none', async () => {
    const { certificate } = certify({ subject: '/CN=gateway' })
    const { refusal } = (await (await ask({ client: 'gateway', certificate })).json()) as Explanation
    expect(refusal).to.include({ reason: 'malformed-request', setting: 'server.json listen' })
    expect(refusal?.description).to.match(/^this server asks nobody for a certificate: listen\.tls\.clientCertificates is for/)
  })

  it('explains a WS-Trust message', async () => {
    const answer = await ask({ client: 'gateway', connection: 'nobody', message: messageOf({ subject: '<x xmlns="urn:x"/>' }) })
    const { outcome, refusal } = (await answer.json()) as Explanation
    expect(outcome).to.equal('refused')
    expect(refusal).to.include({
      reason: 'ws-trust-not-enabled',
      error: 'wst:RequestFailed',
      setting: 'clients/gateway.json wsTrust.enabled',
    })
    for (const both of [{ message: 'x', form: 'y' }, { message: 'x', parameters: { scope: 'y' } }, { connection: 'x' }])
      expect((await ask({ client: 'gateway', ...both })).status).to.equal(400)
  })

  it('explains by the configuration that serves', async () => {
    const subject_token = await server.people.sign()
    const before = (await explained({ subject_token })).version
    await server.write('clients/gateway.json', {
      authentication: { method: 'client_secret_basic', secrets: [{ file: 'secrets/gateway' }] },
      tokenExchange: { enabled: false },
    })
    await server.reloaded()
    const { version, refusal } = await explained({ subject_token })
    expect(version).to.not.equal(before)
    expect(refusal).to.include({ reason: 'exchange-not-enabled', setting: 'clients/gateway.json tokenExchange.enabled' })
  })

  const strangers: Array<[what: string, headers: Record<string, string>]> = [
    ['without a token', { authorization: '' }],
    ['with another token', { authorization: 'Bearer the-token-of-administratorz' }],
    ['with the beginning of the token', { authorization: 'Bearer the-token' }],
    ['with the token and more', { authorization: `Bearer ${bearer} x` }],
    ['by another scheme', { authorization: `Basic ${Buffer.from(`admin:${bearer}`).toString('base64')}` }],
  ]
  for (const [what, headers] of strangers) {
    it(`answers nobody ${what}`, async () => {
      const answer = await ask({}, headers)
      expect(answer.status).to.equal(401)
      expect(answer.headers.get('www-authenticate')).to.equal('Bearer realm="admin"')
    })
  }

  it('answers nobody without a token, whatever they ask for', async () => {
    for (const path of ['/admin/explain', '/admin', '/token']) expect((await ask({}, { authorization: '' }, path)).status).to.equal(401)
  })

  it('counts the tokens that are tried, and never slows whoever has the right one', async () => {
    const tried = (guess: number) => ask({}, { authorization: `Bearer guess-${guess}-of-very-many` })
    let answer = await tried(0)
    for (let guess = 1; guess < mostGuesses && answer.status === 401; guess++) answer = await tried(guess)
    expect(answer.status).to.equal(429)
    expect(answer.headers.get('retry-after')).to.match(/^[1-9][0-9]*$/)
    expect((await ask({}, { authorization: '' })).status).to.equal(401)
    expect((await explained({ subject_token: 'x' })).outcome).to.equal('refused')
  })

  it('counts the secrets of clients that are tried by explanations', async () => {
    const grant = 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange'
    const guess = async (secret: string) => {
      const answer = await ask({ form: `${grant}&client_id=gateway&client_secret=${secret}` })
      return [answer.status, ((await answer.json()) as Explanation).refusal?.reason]
    }
    const answers: unknown[][] = []
    while (answers.length < mostGuesses && answers.at(-1)?.[0] !== 429) answers.push(await guess(`guess-${answers.length}`))
    expect(answers.slice(0, 2)).to.deep.equal([
      [200, 'client-not-authenticated'],
      [200, 'client-not-authenticated'],
    ])
    expect(answers.at(-1)).to.deep.equal([429, undefined])
    expect((await explained({ subject_token: 'x' })).outcome).to.equal('refused')
  })

  it('has nothing of what clients are answered', async () => {
    for (const path of ['/token', '/introspect', '/metrics', '/admin/other']) expect((await ask({}, {}, path)).status).to.equal(404)
  })

  it('is not where clients are answered', async () => {
    expect((await server.request('POST', '/admin/explain')).status).to.equal(404)
  })

  const wrong: Array<[what: string, body: unknown, headers: Record<string, string>, description: RegExp]> = [
    ['no JSON', '{', {}, /no JSON/],
    ['another media type', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, /application\/json/],
    ['neither client nor form', {}, {}, /name a client/],
    ['an unknown member', { client: 'gateway', clinet: 'x' }, {}, /clinet/],
    ['a certificate that is none', { client: 'gateway', certificate: 'gateway' }, {}, /certificate: no certificate that can be read/],
    ['a list', [], {}, /expected object/],
    ['a body that is too large', { client: 'x'.repeat(600_000) }, {}, /larger than/],
  ]
  for (const [what, body, headers, description] of wrong) {
    it(`refuses ${what}, and says why`, async () => {
      const answer = await ask(body, headers)
      expect(answer.status).to.equal(400)
      const { error, error_description: said } = (await answer.json()) as Record<string, string>
      expect(error).to.equal('invalid_request')
      expect(said).to.match(description)
    })
  }
})
