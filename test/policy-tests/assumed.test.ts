import { expect } from 'chai'
import type { JsonObject } from '../../src/json.ts'
import type { PolicyCase } from '../../src/policy-tests/cases.ts'
import { type Outcome, play } from '../../src/policy-tests/play.ts'
import type { Server } from '../../src/server.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { sampleFiles, sampleFolder } from '../support/sample.ts'
import { serverOf } from './sample-server.ts'

const instant = 1_800_000_000.25
const orders = 'http://localhost:3001/orders/'
const people = 'policies/token-processors/sample-people.json'
const assertions = 'policies/token-processors/sample-saml2.json'

describe('what a policy test says of a token', () => {
  let server: Server
  let remove: () => Promise<void>
  before(async () => {
    const files = await sampleFiles()
    const policy = files['policies/processor-policies/people.json'] as { processors: object[] }
    const email = { email: 'subject.email', subject: 'subject.sub', groups: '[]' }
    const changes = {
      [people]: { ...(files[people] as object), once: true, maxAge: '1h' },
      [assertions]: { ...(files[assertions] as object), maxAge: '1h' },
      'policies/token-processors/opaque.json': {
        type: 'introspection',
        issuer: 'https://opaque.example',
        endpoint: 'https://opaque.example/introspect',
        clientId: 'x',
        clientSecret: { env: 'NOT_HERE' },
        requiredClaims: ['nbf'],
        claims: { type: 'object', required: ['email'], properties: { email: { type: 'string' } } },
      },
      'policies/processor-policies/people.json': {
        ...policy,
        processors: [...policy.processors, { subjectTokenType: 'urn:x:opaque', subjectTokenProcessor: 'opaque', attributes: email }],
      },
    }
    const folder = await sampleFolder(changes)
    remove = folder.remove
    server = await serverOf(folder.folder)
  })
  after(() => remove())

  function outcomeOf(subject: JsonObject, type: string = types.jwt, more: Partial<PolicyCase> = {}): Promise<Outcome> {
    const place = { file: '', line: 1, column: 1, member: '' }
    const request = { grant_type: tokenExchange, subject_token_type: type, resource: orders }
    const common = { name: '', place, client: 'sample', clientIp: '127.0.0.1', now: instant, actor: undefined, expect: { exactly: false } }
    return play({ ...common, request, subject, ...more }, server)
  }

  /** What is refused and why, or `issued`. */
  async function shortly(outcome: Promise<Outcome>): Promise<string> {
    const found = await outcome
    if (found.is === 'failed') return found.why
    return found.is !== 'refused'
      ? found.is
      : `${found.refusal.setting}: ${found.refusal.message.replace('the subject token is refused: ', '')}`
  }

  const alice = { sub: 'alice', email: 'alice@example.com', email_verified: true, groups: [] }
  const assertion = { nameId: { value: 'alice@example.com' }, attributes: { uid: 'alice', groups: [] } }
  const own = { sub: 'alice', email: 'alice@example.com', groups: [], client_id: 'sample' }
  const at = (file: string, member: string) => `${file} ${member}`

  const cases: Array<[what: string, type: string, subject: JsonObject, result: string]> = [
    ['the usual', types.jwt, alice, 'issued'],
    ['no audience', types.jwt, { ...alice, aud: null }, `${people}: it names no audience`],
    ['no expiry', types.jwt, { ...alice, exp: null }, `${at(people, 'requiredClaims')}: the token has no exp`],
    [
      'no id, where it is taken only once',
      types.jwt,
      { ...alice, jti: null },
      `${at(people, 'once')}: it can be used only once, and has no id`,
    ],
    [
      'an issue two hours ago',
      types.jwt,
      { ...alice, iat: '-2h' },
      `${at(people, 'maxAge')}: it is too old, or does not say when it was issued`,
    ],
    ['an end that is past', types.jwt, { ...alice, exp: '2027-01-01T00:00:00Z' }, `${at(people, 'clockSkew')}: it has expired`],
    ['a beginning to come', types.jwt, { ...alice, nbf: '+1m' }, `${at(people, 'clockSkew')}: it is not valid yet`],
    [
      'a claim of the wrong type',
      types.jwt,
      { ...alice, groups: 'staff' },
      `${at(people, 'claims')}: the claims of the token are not acceptable: groups must be array`,
    ],
    ['no subject', types.jwt, { ...alice, sub: null }, `${people}: sub of the token is not a string`],
    [
      'a time that is none',
      types.jwt,
      { ...alice, exp: '5 minutes' },
      'no such token can be assumed: exp: expected a time: "-5m", "+1h", "2026-01-01T00:00:00Z" or seconds since 1970',
    ],
    ['the usual', types.saml2, assertion, 'issued'],
    [
      'another issuer',
      types.saml2,
      { ...assertion, issuer: 'https://elsewhere.example' },
      `${at(assertions, 'issuers')}: the issuer of the assertion is not accepted here`,
    ],
    ['no audience', types.saml2, { ...assertion, audiences: [] }, `${assertions}: it names no audience`],
    [
      'no end',
      types.saml2,
      { ...assertion, notOnOrAfter: null },
      `${assertions}: the assertion is not acceptable: it does not say until when it is valid`,
    ],
    ['the end of a session', types.saml2, { ...assertion, sessionNotOnOrAfter: '-1m' }, `${at(assertions, 'clockSkew')}: it has expired`],
    [
      'an issue two hours ago',
      types.saml2,
      { ...assertion, issueInstant: '-2h' },
      `${at(assertions, 'maxAge')}: it is too old, or does not say when it was issued`,
    ],
    [
      'an authentication to come',
      types.saml2,
      { ...assertion, authnInstant: '+2m' },
      `${assertions}: the assertion is not acceptable: its subject authenticated in the future`,
    ],
    [
      'two values where there is one',
      types.saml2,
      { ...assertion, attributes: { uid: ['a', 'b'], groups: [] } },
      `${assertions}: the assertion is not acceptable: an attribute has several values, and its schema has a single one`,
    ],
    [
      'a restriction of what is made of it',
      types.saml2,
      { ...assertion, proxyRestriction: { count: 0 } },
      `${assertions}: it restricts what may be made from it (ProxyRestriction), and this is not allowed`,
    ],
    [
      'an unknown member',
      types.saml2,
      { ...assertion, nameID: {} },
      'no such token can be assumed: nameID: unknown member "nameID"; did you mean "nameId"?',
    ],
    ['no name', types.saml2, { attributes: {} }, 'no such token can be assumed: nameId: is missing (expected an object)'],
    [
      'a way to authenticate, and no time',
      types.saml2,
      { ...assertion, authnContext: 'urn:x' },
      'no such token can be assumed: authnInstant: is missing: an assertion tells how its subject authenticated together with when',
    ],
    ['the usual', types.saml1, assertion, 'issued'],
    ['what only SAML 2.0 has', types.saml1, { ...assertion, act: {} }, 'no such token can be assumed: act: unknown member "act"'],
    ['the usual', types.accessToken, own, 'issued'],
    ['a manager', types.accessToken, { ...own, accessTokenManager: 'billing' }, 'issued'],
    [
      'a manager that is not taken',
      types.accessToken,
      { ...own, accessTokenManager: 'none' },
      'policies/token-processors/own.json accessTokenManagers: it is no access token of this server that is valid now',
    ],
    [
      'an audience that its manager never writes',
      types.accessToken,
      { ...own, aud: 'billing' },
      'policies/token-processors/own.json accessTokenManagers: it is no access token of this server that is valid now',
    ],
    [
      'an end that is past',
      types.accessToken,
      { ...own, exp: '-1s' },
      'policies/token-processors/own.json accessTokenManagers: it is no access token of this server that is valid now',
    ],
    [
      'nobody to whom it was issued',
      types.accessToken,
      { sub: 'alice' },
      'no such token can be assumed: client_id: is missing: every access token of this server has it',
    ],
    ['the usual', 'urn:x:opaque', { sub: 'alice', email: 'alice@example.com' }, 'issued'],
    ['that it is not active', 'urn:x:opaque', { active: false }, 'policies/token-processors/opaque.json: the token is not active'],
    [
      'another issuer',
      'urn:x:opaque',
      { iss: 'https://elsewhere.example', sub: 'a' },
      'policies/token-processors/opaque.json issuer: the issuer of the token is not accepted here',
    ],
  ]
  for (const [what, type, subject, result] of cases) {
    it(`${type.replace(/.*:/, '')}: ${what}`, async () => expect(await shortly(outcomeOf(subject, type))).to.equal(result))
  }

  it('is used up by no other case', async () => {
    for (let time = 0; time < 3; time++) expect(await shortly(outcomeOf({ ...alice, jti: 'one' }))).to.equal('issued')
  })

  it('is for the moment that the case names', async () => {
    const outcome = await outcomeOf({ ...alice, exp: '+90s' })
    expect(outcome.is === 'issued' && outcome.answer.expires_in).to.equal(90)
    expect(outcome.is === 'issued' && 'claims' in outcome.content && outcome.content.claims.exp).to.equal(Math.floor(instant) + 90)
  })

  it('gives a disabled client nothing, and a client that is not there is no refusal', async () => {
    const orderly = server.clients.get('sample')
    const disabled = { ...server, clients: new Map([['sample', { ...orderly, enabled: false }]]) } as Server
    const place = { file: '', line: 1, column: 1, member: '' }
    const common = { name: '', place, clientIp: '127.0.0.1', now: instant, actor: undefined, expect: { exactly: false } }
    const request = { grant_type: tokenExchange, subject_token_type: types.jwt }
    const refused = await play({ ...common, client: 'sample', request, subject: alice }, disabled)
    expect(refused.is === 'refused' && refused.refusal.reason).to.equal('client-disabled')
    expect(await play({ ...common, client: 'nobody', request, subject: alice }, server)).to.deep.equal({
      is: 'failed',
      why: 'there is no client "nobody"',
    })
  })
})
