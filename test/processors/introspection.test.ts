import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import nock from 'nock'
import type { GuardedFetch, GuardedRequest } from '../../src/keys/guarded-fetch.ts'
import { Outage, TokenRejected } from '../../src/oauth/errors.ts'
import { introspection } from '../../src/processors/introspection.ts'
import { build, ownIssuer, processorOf, type Surroundings } from './building.ts'

// Importing nock takes over node:http for every test of the run.
nock.restore()

const issuer = 'https://as.partner.example'
const endpoint = `${issuer}/introspect`
const file = { issuer, endpoint, clientId: 'cambist:1', clientSecret: { env: 'PARTNER_SECRET' } }
const start = 1_800_000_000

describe('introspection processor', () => {
  let clock = start
  let asked: Array<[string, GuardedRequest]> = []
  let answer: { status: number; body: unknown } | Error
  let wait: Promise<unknown> | undefined

  beforeEach(() => {
    clock = start
    asked = []
    wait = undefined
    answer = { status: 200, body: { active: true, sub: 'alice', exp: start + 100, aud: 'x', scope: 'read' } }
  })

  const fetch: GuardedFetch = async (url, request) => {
    asked.push([url, request])
    await wait
    if (answer instanceof Error) throw answer
    const { status, body } = answer
    return { status, headers: { get: () => null }, text: async () => (typeof body === 'string' ? body : JSON.stringify(body)) }
  }
  const around: Surroundings = { fetch, now: () => clock, texts: { PARTNER_SECRET: 's+e:c ä' } }

  async function outcome(more: object = {}, token = 'opaque') {
    const processor = await processorOf(introspection, { ...file, ...more }, around)
    return await processor.process(token, { now: clock }).catch((error: unknown) => error)
  }

  it('asks as RFC 7662 has it, with form-encoded credentials', async () => {
    await outcome({}, 'to+ken/=')
    const [[url, request] = ['', {}]] = asked
    expect(url).to.equal(endpoint)
    expect(request).to.deep.include({
      method: 'POST',
      body: 'token=to%2Bken%2F%3D&token_type_hint=access_token',
      allowPrivateNetwork: false,
    })
    const [, credentials = ''] = (request.headers?.authorization ?? '').split(' ')
    expect(Buffer.from(credentials, 'base64').toString()).to.equal('cambist%3A1:s%2Be%3Ac+%C3%A4')
  })

  it('states what the answer says, of the configured issuer', async () => {
    expect(await outcome()).to.deep.include({ issuer, subject: 'alice', audiences: ['x'], expiresAt: start + 100, scope: ['read'] })
    answer = { status: 200, body: { active: true, iss: issuer, sub: 'alice', exp: start + 100, cnf: { jkt: 'x' } } }
    expect(await outcome()).to.deep.include({ issuer, audiences: [], confirmation: { jkt: 'x' } })
  })

  const rejected: Array<[string, object, object?]> = [
    ['that is not active', { active: false }],
    ['that is not active, whatever else is said', { active: false, sub: 'alice', exp: start + 100 }],
    ['of another issuer', { active: true, iss: 'https://evil.example', sub: 'alice', exp: start + 100 }],
    ['of an issuer that is no string', { active: true, iss: [issuer], sub: 'alice', exp: start + 100 }],
    ['without a subject', { active: true, exp: start + 100 }],
    ['that is bound to a key which is not named', { active: true, sub: 'alice', exp: start + 100, token_type: 'dPoP' }],
    ['without an expiry', { active: true, sub: 'alice' }],
    ['with an expiry of the wrong type', { active: true, sub: 'alice', exp: '1' }],
    ['without a required claim', { active: true, sub: 'alice', exp: start + 100 }, { requiredClaims: ['email'] }],
    [
      'that does not meet the schema',
      { active: true, sub: 'alice', exp: start + 100, email: 1 },
      { claims: { type: 'object', properties: { email: { type: 'string' } } } },
    ],
  ]
  for (const [what, body, more] of rejected) {
    it(`rejects a token ${what}`, async () => {
      answer = { status: 200, body }
      expect(await outcome(more)).to.be.instanceOf(TokenRejected)
    })
  }

  const outages: Array<[string, { status: number; body: unknown } | Error]> = [
    ['no connection', new Error('ECONNREFUSED')],
    ['500', { status: 500, body: {} }],
    ['503', { status: 503, body: { active: false } }],
    ['401: our credentials', { status: 401, body: { error: 'invalid_client' } }],
    ['403', { status: 403, body: '' }],
    ['400', { status: 400, body: { error: 'invalid_request' } }],
    ['a redirect', { status: 302, body: '' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['a list', { status: 200, body: [] }],
    ['no active', { status: 200, body: { sub: 'alice' } }],
    ['active as a string', { status: 200, body: { active: 'true', sub: 'alice' } }],
    ['active twice', { status: 200, body: '{"active":false,"active":true,"sub":"alice"}' }],
  ]
  for (const [what, given] of outages) {
    it(`cannot tell: ${what}`, async () => {
      answer = given
      expect(await outcome()).to.be.instanceOf(Outage)
    })
  }

  it('asks nobody about what no token can be', async () => {
    for (const token of ['', 'tök', 'a\nb', 'a\u0000', 'x'.repeat(70_000)]) expect(await outcome({}, token)).to.be.instanceOf(TokenRejected)
    expect(asked).to.deep.equal([])
  })

  it('asks once for calls that come together', async () => {
    let release: () => void = () => undefined
    wait = new Promise<void>(resolve => {
      release = resolve
    })
    const processor = await processorOf(introspection, file, around)
    const calls = Array.from({ length: 20 }, () => processor.process('opaque', { now: clock }))
    calls.push(processor.process('another', { now: clock }))
    release()
    expect((await Promise.all(calls)).every(({ subject }) => subject === 'alice')).to.equal(true)
    expect(asked).to.have.length(2)
  })

  it('asks every time, unless the file says how long an answer is believed', async () => {
    const processor = await processorOf(introspection, file, around)
    for (let index = 0; index < 3; index++) await processor.process('opaque', { now: clock })
    expect(asked).to.have.length(3)
  })

  it('believes an answer for a while, never longer than the token lives', async () => {
    const processor = await processorOf(introspection, { ...file, cache: '1m' }, around)
    await processor.process('opaque', { now: clock })
    clock += 59
    await processor.process('opaque', { now: clock })
    expect(asked).to.have.length(1)
    clock += 1
    await processor.process('opaque', { now: clock })
    expect(asked).to.have.length(2)
    clock += 40
    answer = { status: 200, body: { active: false } }
    expect(await processor.process('opaque', { now: clock }).catch((error: unknown) => error)).to.be.instanceOf(TokenRejected)
    expect(asked).to.have.length(3)
  })

  it('remembers no refusal and no failure', async () => {
    const processor = await processorOf(introspection, { ...file, cache: '1m' }, around)
    const good = answer
    for (const bad of [{ status: 200, body: { active: false } }, new Error('down')]) {
      answer = bad
      expect(await processor.process('opaque', { now: clock }).catch((error: unknown) => error)).to.be.an('error')
    }
    answer = good
    expect(await processor.process('opaque', { now: clock })).to.have.property('subject', 'alice')
    expect(asked).to.have.length(3)
  })

  it('remembers a bounded number of answers', async () => {
    const processor = await processorOf(introspection, { ...file, cache: '1m' }, around)
    for (let index = 0; index <= 10_000; index++) await processor.process(`t${index}`, { now: clock })
    asked = []
    await processor.process('t10000', { now: clock })
    expect(asked).to.have.length(0)
    await processor.process('t0', { now: clock })
    expect(asked).to.have.length(1)
  })

  it('has a strict file', async () => {
    const problems = async (more: object) => (await build(introspection, { ...file, ...more }, around)).problems
    expect((await problems({ issuer: ownIssuer }))[0]).to.match(/^issuer: .*access-token/)
    expect((await problems({ endpoint: 'http://as.partner.example/' }))[0]).to.match(/^endpoint: must be https/)
    expect((await problems({ endpoint: 'https://10.0.0.1/' }))[0]).to.match(/^endpoint: .*private network/)
    expect((await problems({ clientSecret: 'literal' }))[0]).to.match(/never stands in the configuration/)
    expect(await problems({ cache: '2h' })).to.have.length(1)
    expect(await problems({ audiences: [] })).to.have.length(1)
    expect((await problems({ cachee: '1m' }))[0]).to.match(/did you mean "cache"/)
    expect(
      (await build(introspection, { ...file, endpoint: 'http://127.0.0.1/', allowPrivateNetwork: true, expiry: 'optional' })).warnings,
    ).to.have.length(2)
  })

  it('talks to a real server on a loopback host that is allowed', async () => {
    const bodies: string[] = []
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      bodies.push(body)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ active: true, sub: 'alice', exp: 4e9 }))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const local = { ...file, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, allowPrivateNetwork: true }
    const processor = await processorOf(introspection, local, { texts: { PARTNER_SECRET: 'x' } })
    expect(await processor.process('opaque', { now: clock })).to.have.property('subject', 'alice')
    expect(bodies).to.deep.equal(['token=opaque&token_type_hint=access_token'])
    server.close()
  })

  it('talks to a mocked server', async () => {
    if (!nock.isActive()) nock.activate()
    nock(issuer).post('/introspect', 'token=opaque&token_type_hint=access_token').reply(200, { active: true, sub: 'alice', exp: 4e9 })
    const processor = await processorOf(introspection, file, { texts: { PARTNER_SECRET: 'x' } })
    expect(await processor.process('opaque', { now: clock })).to.have.property('subject', 'alice')
    nock.restore()
  })
})
