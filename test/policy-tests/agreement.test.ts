import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { decodeJwt, importPKCS8, SignJWT } from 'jose'
import type { JsonObject } from '../../src/json.ts'
import { refusals } from '../../src/oauth/errors.ts'
import type { MessageParameters, PolicyCase, Parameters as RequestParameters } from '../../src/policy-tests/cases.ts'
import { type Outcome, play } from '../../src/policy-tests/play.ts'
import { mintSampleAssertion } from '../../src/sample/sample-assertion.ts'
import { sampleIssuers } from '../../src/sample/sample-token.ts'
import type { Server } from '../../src/server.ts'
import { faultNameOf } from '../../src/sts/faults.ts'
import { samlTokens } from '../../src/sts/names.ts'
import { messageOf } from '../sts/asking.ts'
import { type Files, secretOf } from '../support/configuration.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { type Parameters, type RunningServer, startServer } from '../support/running-server.ts'
import { sampleFolder } from '../support/sample.ts'
import { serverOf } from './sample-server.ts'

/** What a test and the token endpoint say of one request, in the same words. */
interface Verdict {
  readonly error?: string
  readonly error_description?: string
  readonly claims?: JsonObject
  readonly scope?: string
  readonly issued_token_type?: string
  readonly expires_in?: number
}

const person = { sub: 'alice', email: 'alice@example.com', email_verified: true, groups: ['app-orders', 'staff'], scope: 'orders.read' }
const orders = 'http://localhost:3001/orders/'

describe('a policy test and the token endpoint', function () {
  this.timeout(60_000)
  let folder: string
  let remove: () => Promise<void>
  let server: Server
  let running: RunningServer

  before(async () => {
    const secrets = Object.fromEntries(['sample', 'orders'].map(client => [`keys/${client}-client.secret`, secretOf(client)]))
    ;({ folder, remove } = await sampleFolder(secrets))
    server = await serverOf(folder)
    running = await startServer(await filesIn(folder))
  })
  after(async () => {
    await running.close()
    await remove()
  })

  async function sign(claims: JsonObject, issuer: string): Promise<string> {
    const key = await importPKCS8(await readFile(join(folder, 'keys/sample-issuer.pem'), 'utf8'), 'ES256')
    const now = Math.floor(Date.now() / 1000)
    const usual = { iss: issuer, aud: server.issuer, iat: now, exp: now + 3600, jti: randomUUID() }
    const all = Object.entries({ ...usual, ...claims }).filter(([name, value]) => value !== null || !(name in usual))
    return new SignJWT(Object.fromEntries(all) as Record<string, unknown>).setProtectedHeader({ alg: 'ES256', typ: 'JWT' }).sign(key)
  }

  async function answerOf(parameters: Parameters, client: string): Promise<Verdict> {
    const own = { client_id: 'orders', client_secret: secretOf('orders') }
    const whole = { grant_type: tokenExchange, ...parameters }
    const { json } = await (client === 'orders' ? running.post('/token', { ...whole, ...own }) : running.post('/token', whole, client))
    const { error, error_description, ...answer } = json as Record<string, string>
    if (error !== undefined) return { error, error_description: error_description ?? '' }
    const token = answer.access_token ?? ''
    return verdict(token.split('.').length === 3 ? (decodeJwt(token) as JsonObject) : undefined, answer)
  }

  function verdict(claims: JsonObject | undefined, answer: object): Verdict {
    const { scope, issued_token_type, expires_in } = answer as Verdict
    const { iat: _iat, exp: _exp, jti: _jti, anc: _anc, ...shown } = claims ?? {}
    return {
      ...(claims && { claims: shown }),
      ...(scope && { scope }),
      issued_token_type: String(issued_token_type),
      expires_in: Number(expires_in),
    }
  }

  function verdictOf(outcome: Outcome): Verdict {
    if (outcome.is === 'failed') throw new Error(outcome.why)
    if (outcome.is === 'refused') return { error: refusals[outcome.refusal.reason].error, error_description: outcome.refusal.message }
    if (outcome.is === 'judged') throw new Error('nobody asked for a status')
    const { answer, content } = outcome
    return verdict('claims' in content && answer.issued_token_type === types.accessToken ? content.claims : undefined, answer)
  }

  function caseOf(request: RequestParameters, subject: JsonObject, actor?: JsonObject, client = 'sample'): PolicyCase {
    const place = { file: '', line: 1, column: 1, member: '' }
    const expectation = { exactly: false }
    const whole = { grant_type: tokenExchange, ...request }
    return { name: '', place, client, clientIp: '127.0.0.1', now: undefined, request: whole, subject, actor, expect: expectation }
  }

  /** `since` is when the first of the two was asked, by `performance.now()`: they are asked one after the other. */
  function requireAgreement(since: number, assumed: Verdict, answered: Verdict): void {
    const { expires_in: left = 0, ...one } = assumed
    const { expires_in: right = 0, ...other } = answered
    expect(one).to.deep.equal(other)
    expect(Math.abs(left - right)).to.be.lessThan(2 + (performance.now() - since) / 1000)
  }

  it('agree on every token of a person, with and without an agent', async () => {
    const anything = fc.constantFrom<unknown>('x', 3, true, ['x'], {}, '')
    const wrong = fc.record(
      {
        iss: fc.constantFrom<unknown>(sampleIssuers.person, sampleIssuers.agent, 'https://elsewhere.example', null),
        aud: fc.constantFrom<unknown>('http://localhost:3000', ['a', 'http://localhost:3000/token'], 'https://elsewhere.example', [], null),
        exp: fc.constantFrom<unknown>(null, 1, 4_000_000_000, true),
        nbf: fc.constantFrom<unknown>(1, 4_000_000_000, true),
        iat: fc.constantFrom<unknown>(null, 1, 4_000_000_000),
        jti: fc.constantFrom<unknown>(null, 7, 'one'),
        sub: fc.constantFrom<unknown>('bob', '', 7),
        email: fc.constantFrom<unknown>('bob@example.com', 'no address', 7),
        email_verified: fc.constantFrom<unknown>(true, false, 'true'),
        groups: fc.constantFrom<unknown>([], ['app-a', 'b'], 'app-a', [1]),
        scope: fc.constantFrom<unknown>('orders.read', 'orders.write', '', ['orders.read'], 7),
        act: fc.constantFrom<unknown>({ sub: 'portal' }, { iss: 'https://portal.example', sub: 'portal' }, { sub: '' }, 'portal'),
        may_act: fc.constantFrom<unknown>({ sub: 'agent-7' }, { iss: sampleIssuers.agent, sub: 'agent-7' }, {}),
        cnf: fc.constantFrom<unknown>({ jkt: 'x' }, 'x'),
        amr: anything,
        nickname: anything,
      },
      { requiredKeys: [] },
    )
    const request = fc.record(
      {
        resource: fc.constantFrom(orders, `${orders}7`, 'http://localhost:3002/ledger/', 'http://localhost:9/', 'no resource'),
        audience: fc.constantFrom('orders', 'billing', 'nobody'),
        scope: fc.constantFrom('orders.read', 'orders.write', 'orders.read orders.read', 'a"b'),
        requested_token_type: fc.constantFrom<string>(types.jwt, types.accessToken, types.saml1, types.saml2, 'urn:x:y'),
      },
      { requiredKeys: [] },
    )
    const agent = fc.option(
      fc.record(
        { sub: fc.constantFrom('agent-7', 'mallory'), exp: fc.constantFrom<unknown>(4_000_000_000, null) },
        { requiredKeys: ['sub'] },
      ),
      {
        nil: undefined,
      },
    )
    await fc.assert(
      fc.asyncProperty(wrong, request, agent, async (changes, wanted, actor) => {
        const since = performance.now()
        const subject = { ...person, ...changes } as JsonObject
        const parameters = { subject_token_type: types.jwt, ...wanted, ...(actor && { actor_token_type: types.jwt }) }
        const actorToken = actor && { actor_token: await sign(actor as JsonObject, sampleIssuers.agent) }
        const assumed = verdictOf(await play(caseOf(parameters, subject, actor as JsonObject | undefined), server))
        const answered = await answerOf(
          { ...parameters, subject_token: await sign(subject, sampleIssuers.person), ...actorToken },
          'sample',
        )
        requireAgreement(since, assumed, answered)
      }),
      { numRuns: 150 },
    )
  })

  for (const [type, version] of [
    [types.saml2, '2.0'],
    [types.saml1, '1.1'],
  ] as const) {
    for (const [what, said, minted] of [
      ['that is in order', {}, {}],
      ['that has expired', { notOnOrAfter: '-5m' }, { seconds: -300 }],
      ['for somebody else', { audiences: ['https://elsewhere.example'] }, { audience: 'https://elsewhere.example' }],
    ] as const) {
      it(`agree on an assertion of SAML ${version} ${what}`, async () => {
        const since = performance.now()
        const parameters = { subject_token_type: type, resource: orders }
        const wanted = { version, subject: 'alice', audience: server.issuer, recipient: `${server.issuer}/token`, seconds: 3600, ...minted }
        const subject = {
          nameId: { value: 'alice@example.com' },
          attributes: { uid: 'alice', groups: ['app-orders', 'app-ledger', 'staff'] },
          ...said,
        }
        const assumed = verdictOf(await play(caseOf(parameters, subject), server))
        const answered = await answerOf({ ...parameters, subject_token: await mintSampleAssertion(folder, wanted) }, 'sample')
        requireAgreement(since, assumed, answered)
      })
    }
  }

  for (const client of ['orders', 'sample']) {
    it(`agree on a token of this server that ${client} brings`, async () => {
      const subjectToken = await sign(person, sampleIssuers.person)
      const { json } = await running.post(
        '/token',
        { grant_type: tokenExchange, subject_token_type: types.jwt, resource: orders, subject_token: subjectToken },
        'sample',
      )
      const token = String(json.access_token)
      const parameters = { subject_token_type: types.accessToken, audience: 'billing' }
      const { sub, email, groups, scope, client_id } = decodeJwt(token) as JsonObject
      const assumed = verdictOf(await play(caseOf(parameters, { sub, email, groups, scope, client_id }, undefined, client), server))
      const answered = await answerOf({ ...parameters, subject_token: token }, client)
      const { claims: _claims, ...rest } = assumed
      requireAgreement(performance.now(), { ...rest, expires_in: answered.expires_in ?? 0 }, answered)
      expect(_claims).to.include({ sub: 'alice', client_id: client })
    })
  }

  const audit = 'https://audit.sample.example'
  const messages: Array<[what: string, message: Partial<MessageParameters>, said: JsonObject, minted: object]> = [
    ['for nothing in particular', {}, {}, {}],
    ['for a service', { appliesTo: 'http://localhost:3002/ledger/ws' }, {}, {}],
    ['for a service that nobody knows', { appliesTo: 'urn:nobody' }, {}, {}],
    ['for another type', { virtualServerId: audit, tokenType: samlTokens.saml11.type }, {}, { audience: audit }],
    ['for a type that is for others', { tokenType: samlTokens.saml11.type }, {}, {}],
    ['at a virtual server that its token is not for', { virtualServerId: audit }, { audiences: ['https://sts.sample.example'] }, {}],
    ['with a token that has expired', {}, { notOnOrAfter: '-5m' }, { seconds: -300 }],
    ['whether that is valid', { requestType: 'Validate' }, { notOnOrAfter: '-5m' }, { seconds: -300 }],
    ['whether a token is valid', { requestType: 'Validate' }, {}, {}],
    ['to act for somebody', { actAs: true }, {}, {}],
    ['at a connection that is not there', { connection: 'nobody' }, {}, {}],
  ]
  for (const [what, parameters, said, minted] of messages) {
    it(`agree on a WS-Trust message ${what}`, async () => {
      const message = { connection: 'sample-idp', requestType: 'Issue', actAs: false, ...parameters } as MessageParameters
      const wanted = { version: '2.0', subject: 'alice', audience: 'https://sts.sample.example', seconds: 3600, ...minted } as const
      const token = await mintSampleAssertion(folder, { ...wanted, recipient: wanted.audience })
      const subject = {
        nameId: { value: 'alice@example.com' },
        authnInstant: '-1m',
        attributes: { uid: 'alice', groups: ['app-orders', 'app-ledger', 'staff'] },
        ...said,
      }
      const assumed = inTrust(await play({ ...caseOf({}, subject), message }, server))
      expect(assumed).to.deep.equal(await answerOfTrust(message, Buffer.from(token, 'base64url').toString()))
    })
  }

  function inTrust(outcome: Outcome): string {
    if (outcome.is === 'failed') throw new Error(outcome.why)
    if (outcome.is === 'refused') return faultNameOf(outcome.refusal.reason)
    if (outcome.is === 'judged') return `status/${outcome.isValid ? 'valid' : 'invalid'}`
    return 'xml' in outcome.content ? sayings(outcome.content.xml) : 'no assertion'
  }

  async function answerOfTrust(message: MessageParameters, subject: string): Promise<string> {
    const { connection, virtualServerId, requestType: operation, tokenType, appliesTo, actAs } = message
    const path = ['/sts', connection, virtualServerId && Buffer.from(virtualServerId).toString('base64url')].filter(Boolean).join('/')
    const authorization = `Basic ${Buffer.from(`sample:${secretOf('sample')}`).toString('base64')}`
    const envelope = messageOf({ operation, tokenType, appliesTo, subject, ...(actAs && { holder: 'ActAs' }) })
    const { text } = await running.request('POST', path, envelope, { 'content-type': 'text/xml', authorization })
    return /<faultcode[^>]*>([^<]*)/.exec(text)?.[1] ?? /status\/(?:in)?valid/.exec(text)?.[0] ?? sayings(text)
  }

  // Of two assertions with the same content, ids, instants and signatures differ.
  function sayings(xml: string): string {
    expect(xml).to.include('alice@example.com')
    const said = [
      /<saml:Issuer>.*?<\/saml:Issuer>/,
      /<saml:NameID .*?<\/saml:NameID>|<saml:NameIdentifier .*?<\/saml:NameIdentifier>/,
      /<saml:AttributeStatement>.*<\/saml:AttributeStatement>/s,
    ]
    return [...said.map(part => part.exec(xml)?.[0] ?? ''), /DelegationRestriction.*/.test(xml) ? 'somebody acts' : ''].join('\n')
  }
})

/** Everything in a folder, as texts by path. */
async function filesIn(folder: string): Promise<Files> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const names = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return Object.fromEntries(await Promise.all(names.map(async name => [relative(folder, name), await readFile(name, 'utf8')] as const)))
}
