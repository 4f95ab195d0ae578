import { createPrivateKey, createPublicKey, hash, randomUUID } from 'node:crypto'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { type Files, makeIssuers, secretOf, issuer as server, usualFiles } from '../support/configuration.ts'
import { type Answer, encodeForm, type RunningServer, startServer } from '../support/running-server.ts'
import { forgeriesOf, type Use } from './forgeries.ts'
import { type Forgery, genuine, pair, partsOf, type Victim } from './forging.ts'

const types = { jwt: 'urn:ietf:params:oauth:token-type:jwt', accessToken: 'urn:ietf:params:oauth:token-type:access_token' }
const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const people = 'https://people.example'
const agents = 'https://agents.example'
/** What stands in a list more than once. */
const repeated = (texts: readonly string[]) => texts.filter((text, index) => texts.indexOf(text) !== index)

const now = () => Math.floor(Date.now() / 1000)

describe('forged JWTs', function () {
  this.timeout(240_000)
  const trusted = [pair('ES256', 'people-ec'), pair('RS256', 'people-rsa'), pair('EdDSA', 'people-ed')]
  const neighbour = { ...pair('ES256', 'agents-ec'), issuer: agents }
  const clientKeys = [pair('ES256', 'signer-ec'), pair('RS256', 'signer-rsa')]
  const otherClientKey = { ...pair('ES256', 'other-ec'), issuer: 'other' }
  let files: Files
  let running: RunningServer
  let lure: HttpServer
  let calls: string[]

  before(async () => {
    calls = []
    lure = createServer((request, response) => {
      calls.push(`${request.method} ${request.url}`)
      response.end('{"keys":[]}')
    })
    await new Promise<void>(done => lure.listen(0, '127.0.0.1', done))
    files = await attackedFiles()
    const fetch = guardedFetch()
    running = await startServer(files, {
      fetch: (url, request) => {
        calls.push(url)
        return fetch(url, request)
      },
    })
  })
  after(async () => {
    await running?.close()
    await new Promise(done => lure.close(done))
  })

  async function attackedFiles(): Promise<Files> {
    const usual = await usualFiles(await makeIssuers())
    const issuersOfProcessor = [
      { issuer: people, jwks: { keys: trusted.map(({ jwk }) => jwk) } },
      { issuer: agents, jwks: { keys: [neighbour.jwk] } },
    ]
    const processor = { type: 'jwt', issuers: issuersOfProcessor, algorithms: ['ES256', 'RS256', 'EdDSA', 'Ed25519'] }
    const client = (keys: ReadonlyArray<{ jwk: object }>) => ({
      authentication: { method: 'private_key_jwt', jwks: { keys: keys.map(({ jwk }) => jwk) } },
      tokenExchange: { enabled: true },
    })
    return {
      ...usual,
      'policies/token-processors/people.json': processor,
      'policies/token-processors/agents.json': processor,
      'clients/signer.json': client(clientKeys),
      'clients/other.json': client([otherClientKey]),
    }
  }

  const lureUrl = () => `http://127.0.0.1:${(lure.address() as AddressInfo).port}`

  const claimsOf = (iss: string, sub: string) => () => ({
    ...{ iss, sub, aud: server, iat: now(), exp: now() + 600, jti: randomUUID() },
    ...{ email: 'alice@example.com', groups: ['app-orders'] },
  })

  const foreignVictim = (sub: string): Victim => ({
    ...{ trusted, neighbour, server, lure: lureUrl() },
    header: { typ: 'JWT' },
    claims: claimsOf(people, sub),
  })

  /** Sends every forgery, some at a time, and tells what was not refused as it should be. */
  async function attack(
    forgeries: ReadonlyMap<string, readonly Forgery[]>,
    send: (token: string) => Promise<Answer>,
    refusal: { status: number; error: string },
  ): Promise<string[]> {
    const wrong: string[] = []
    const waiting = [...forgeries].flatMap(([attempt, list]) => list.map(forgery => ({ attempt, ...forgery })))
    const sendAll = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { status, json, text } = await send(next.token)
        const told = `${next.attempt}: ${next.name}: ${status} ${text.slice(0, 200)}`
        if (status !== refusal.status || json.error !== refusal.error) wrong.push(told)
        else if (!/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/.test(String(json.error_description))) wrong.push(`description: ${told}`)
        else if (partsOf(next.token).some(part => part.length > 8 && text.includes(part))) wrong.push(`repeats the token: ${told}`)
      }
    }
    await Promise.all(Array.from({ length: 8 }, sendAll))
    return wrong
  }

  const numberOf = (forgeries: ReadonlyMap<string, readonly Forgery[]>) => {
    const all = [...forgeries.values()].flat()
    expect(repeated(all.map(({ token }) => token)).map(token => all.filter(forgery => forgery.token === token))).to.deep.equal([])
    for (const [attempt, list] of forgeries) {
      expect(list, attempt).to.be.an('array').that.is.not.empty
      expect(repeated(list.map(({ name }) => name)), `names of ${attempt}`).to.deep.equal([])
    }
    return all.length
  }

  const usual: Use = {
    types: ['JWT', 'at+jwt', 'application/at+jwt'],
    wrongAudiences: ['gateway', ['gateway'], 'https://gateway.example.com', 'https://api.example.com', `${server}/introspect`],
  }

  /** Refused for what the token is, not because the request could not be read. */
  function expectJudged(role: 'subject' | 'actor', forgeries: ReadonlyMap<string, readonly Forgery[]>): void {
    const reasons = new Map<unknown, string>()
    for (const { refusal, [`${role}Token`]: token } of running.records as Array<Record<string, Record<string, string>>>) {
      if (refusal !== undefined && token !== undefined) reasons.set(token.sha256, refusal.reason as string)
    }
    const unexpected = [...forgeries.values()].flat().filter(({ token }) => {
      const reason = reasons.get(hash('sha256', token, 'base64url'))
      return reason !== `${role}-token-rejected` && reason !== 'delegation-refused'
    })
    expect(unexpected.map(({ name }) => name)).to.deep.equal([])
  }

  const expectQuiet = () => {
    expect(calls, 'requests to anybody').to.deep.equal([])
    expect(running.records.filter(({ outcome }) => outcome === 'failed')).to.deep.equal([])
  }

  describe('as subject tokens', () => {
    const send = (token: string) => running.exchange({ subject_token: token })

    it('genuine ones are taken: of every key, also without a type', async () => {
      for (const key of trusted) expect(await send(genuine(foreignVictim('alice'), key))).to.include({ status: 200 })
      expect(await send(genuine(foreignVictim('alice'), trusted[0], {}, { typ: undefined }))).to.include({ status: 200 })
    })

    it('not one of more than fifteen hundred is taken', async () => {
      const forgeries = await forgeriesOf(foreignVictim('alice'), usual)
      expect(numberOf(forgeries)).to.be.at.least(1_500)
      expect(await attack(forgeries, send, { status: 400, error: 'invalid_request' })).to.deep.equal([])
      expectJudged('subject', forgeries)
      expectQuiet()
      expect(await send(genuine(foreignVictim('alice'))), 'a genuine one').to.include({ status: 200 })
    })
  })

  describe('as actor tokens', () => {
    const send = async (token: string) => {
      const subject = genuine(foreignVictim('alice'))
      return running.exchange({ subject_token: subject, actor_token: token, actor_token_type: types.jwt })
    }

    it('genuine ones are taken', async () => {
      for (const key of trusted) expect(await send(genuine(foreignVictim('agent-7'), key))).to.include({ status: 200 })
    })

    it('not one of more than fifteen hundred is taken', async () => {
      const forgeries = await forgeriesOf(foreignVictim('agent-7'), usual)
      // Who acts for the actor, and who may, is not looked at.
      forgeries.set('a restriction', forgeries.get('a restriction')?.filter(({ name }) => !/^(may_)?act /.test(name)) ?? [])
      expect(numberOf(forgeries)).to.be.at.least(1_500)
      expect(await attack(forgeries, send, { status: 400, error: 'invalid_request' })).to.deep.equal([])
      expectJudged('actor', forgeries)
      expectQuiet()
      expect(await send(genuine(foreignVictim('agent-7'))), 'a genuine one').to.include({ status: 200 })
    })
  })

  describe('as access tokens of this server', () => {
    const send = (token: string) => running.exchange({ subject_token: token, subject_token_type: types.accessToken })
    let ownVictim: Victim

    before(async () => {
      const { json } = await running.exchange({ subject_token: genuine(foreignVictim('alice')) })
      const [header, payload] = partsOf(String(json.access_token)).map(part => Buffer.from(part, 'base64url').toString())
      const { alg, kid, ...rest } = JSON.parse(header as string)
      const privateKey = createPrivateKey(files['secrets/api.pem'] as string)
      const publicKey = createPublicKey(privateKey)
      const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }
      ownVictim = {
        ...{ trusted: [{ alg, kid, privateKey, publicKey, jwk }], neighbour, server, lure: lureUrl() },
        header: rest,
        claims: () => ({ ...JSON.parse(payload as string), jti: randomUUID() }),
      }
    })

    it('genuine ones are taken', async () => {
      expect(await send(genuine(ownVictim))).to.include({ status: 200 })
    })

    it('not one of more than six hundred that this server has not signed is taken', async () => {
      const forgeries = await forgeriesOf(ownVictim, { types: ['at+jwt', 'application/at+jwt'], wrongAudiences: [] })
      for (const [attempt, list] of forgeries) {
        // What this server signs, it has made itself.
        const unsigned = list.filter(({ signed }) => signed !== true)
        if (unsigned.length === 0) forgeries.delete(attempt)
        else forgeries.set(attempt, unsigned)
      }
      forgeries.set(
        'another manager',
        ['opaque', 'wide', 'nobody', '', 'constructor', null, ['api'], undefined].map(atm => ({
          name: `atm ${JSON.stringify(atm)}`,
          token: genuine(ownVictim, undefined, {}, { atm }),
        })),
      )
      forgeries.set('another kind of JWT', [
        { name: 'no typ', token: genuine(ownVictim, undefined, {}, { typ: undefined }) },
        { name: 'typ JWT', token: genuine(ownVictim, undefined, {}, { typ: 'JWT' }) },
        { name: 'a token of somebody else', token: genuine(foreignVictim('alice')) },
      ])
      expect(numberOf(forgeries)).to.be.at.least(650)
      expect(await attack(forgeries, send, { status: 400, error: 'invalid_request' })).to.deep.equal([])
      expectJudged('subject', forgeries)
      expectQuiet()
      expect(await send(genuine(ownVictim)), 'a genuine one').to.include({ status: 200 })
    })

    it('introspection knows none of them either', async () => {
      const forgeries = await forgeriesOf(ownVictim, { types: ['at+jwt'], wrongAudiences: [] })
      const active: string[] = []
      for (const forgery of [...forgeries.values()].flat().filter(({ signed }) => signed !== true)) {
        const { status, json } = await running.post('/introspect', { token: forgery.token }, 'gateway')
        if (status !== 200 || json.active !== false) active.push(`${forgery.name}: ${status}`)
      }
      expect(active).to.deep.equal([])
      expect((await running.post('/introspect', { token: genuine(ownVictim) }, 'gateway')).json.active, 'a genuine one').to.equal(true)
      expectQuiet()
    })

    it('and as JWTs of somebody else they are nothing', async () => {
      const answer = await running.exchange({ subject_token: genuine(ownVictim), subject_token_type: types.jwt })
      expect(answer.status).to.equal(400)
    })
  })

  describe('as assertions of clients', () => {
    const victim = (): Victim => ({
      ...{ trusted: clientKeys, neighbour: otherClientKey, server, lure: lureUrl(), header: {} },
      claims: () => ({ iss: 'signer', sub: 'signer', aud: server, iat: now(), exp: now() + 60, jti: randomUUID() }),
    })

    const send = async (assertion: string, more: object = {}) => {
      const subject = { grant_type: grant, subject_token: genuine(foreignVictim('alice')), subject_token_type: types.jwt }
      const body = encodeForm({ ...subject, client_assertion: assertion, client_assertion_type: assertionType, ...more })
      return running.request('POST', '/token', body, { 'content-type': 'application/x-www-form-urlencoded' })
    }

    it('genuine ones are taken, once each', async () => {
      for (const key of clientKeys) {
        const assertion = genuine(victim(), key)
        expect(await send(assertion)).to.include({ status: 200 })
        expect(await send(assertion), 'the same again').to.include({ status: 401 })
      }
      expect(await send(genuine(victim(), undefined, {}, { typ: 'client-authentication+jwt' }))).to.include({ status: 200 })
    })

    it('not one of more than twelve hundred is taken', async () => {
      const wrongAudiences = [
        `${server}/token`,
        [server, `${server}/token`],
        [server, server],
        [server, 'https://other.example'],
        ['signer'],
      ]
      const forgeries = await forgeriesOf(victim(), { types: ['JWT', 'client-authentication+jwt'], wrongAudiences })
      const isForClients = ({ name }: Forgery) => name.startsWith('jti ')
      forgeries.set('a restriction', [
        ...(forgeries.get('a restriction')?.filter(isForClients) ?? []),
        { name: 'no jti', token: genuine(victim(), undefined, { jti: undefined }) },
        { name: 'good for two hours', token: genuine(victim(), undefined, { exp: now() + 7200 }) },
        { name: 'iss of another client', token: genuine(victim(), undefined, { iss: 'other' }) },
        { name: 'sub of another client', token: genuine(victim(), undefined, { sub: 'other' }) },
        { name: 'iss and sub of another client', token: genuine(victim(), undefined, { iss: 'other', sub: 'other' }) },
        { name: 'iss and sub of a client with a secret', token: genuine(victim(), undefined, { iss: 'gateway', sub: 'gateway' }) },
        { name: 'iss and sub of nobody', token: genuine(victim(), undefined, { iss: 'nobody', sub: 'nobody' }) },
        { name: 'iss and sub in a prototype', token: genuine(victim(), undefined, { iss: 'constructor', sub: 'constructor' }) },
        { name: 'MAC with the secret of a client', token: genuine({ ...victim(), trusted: [] }, pair('ES256', secretOf('gateway'))) },
      ])
      expect(numberOf(forgeries)).to.be.at.least(1_250)
      expect(await attack(forgeries, send, { status: 401, error: 'invalid_client' })).to.deep.equal([])
      expectQuiet()
      expect(await send(genuine(victim())), 'a genuine one').to.include({ status: 200 })
    })

    it('they all read alike', async () => {
      const bad = [
        genuine(victim(), otherClientKey),
        genuine(victim(), undefined, { aud: 'x' }),
        genuine(victim(), undefined, { iss: 'nobody', sub: 'nobody' }),
        'x',
      ]
      const answers = await Promise.all(bad.map(assertion => send(assertion)))
      expect(new Set(answers.map(({ text }) => text)).size).to.equal(1)
      expect(answers[0]?.headers.get('www-authenticate')).to.equal(null)
    })

    it('a genuine one does not help beside another client_id, or another type', async () => {
      expect((await send(genuine(victim()), { client_id: 'gateway' })).status).to.equal(401)
      const saml = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'
      expect((await send(genuine(victim()), { client_assertion_type: saml })).json.error).to.equal('invalid_client')
    })
  })
})
