import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { describe as inWords } from '../../src/config/problems.ts'
import { readSources } from '../../src/config/read.ts'
import { checkCases } from '../../src/policy-tests/check-cases.ts'
import { loadTests } from '../../src/policy-tests/load-tests.ts'
import type { Server } from '../../src/server.ts'
import { types } from '../support/oauth.ts'
import { sampleFiles, sampleFolder } from '../support/sample.ts'
import { serverOf } from './sample-server.ts'

const ledger = { resource: 'http://localhost:3002/ledger/' }
const people = { nameId: { value: 'alice@example.com' }, attributes: { uid: 'alice', groups: [] } }

describe('mistakes in policy tests that are found without playing them', function () {
  this.timeout(60_000)
  let folder: string
  let remove: () => Promise<void>
  let server: Server
  before(async () => {
    const files = await sampleFiles()
    const policy = files['policies/processor-policies/people.json'] as { processors: object[] }
    const [mapping, ...mappings] = policy.processors
    const text = { type: 'string' }
    const person = { dataStore: 'directory', filter: '(mail={subject.email})', attributes: ['number'], ifMissing: 'empty' }
    ;({ folder, remove } = await sampleFolder({
      'policies/data-stores/directory.json': {
        ...{ type: 'ldap', servers: ['ldaps://directory.invalid'], base: 'dc=example', bind: 'anonymous', attributes: { number: text } },
      },
      'policies/access-token-managers/apart.json': {
        ...(files['policies/access-token-managers/orders.json'] as object),
        ...{ resources: [], audiences: ['apart'], contract: { sub: text, shoeSize: text } },
      },
      'policies/processor-policies/people.json': { ...policy, processors: [{ ...mapping, lookups: { person } }, ...mappings] },
    }))
    server = await serverOf(folder)
  })
  after(() => remove())

  /** What is reported of a file, without its name. */
  async function reported(file: object): Promise<readonly string[]> {
    await writeFile(join(folder, 'policies/tests/one.json'), JSON.stringify(file, null, 2))
    const sources = await readSources(folder)
    const { files, problems } = await loadTests(folder, sources)
    const all = [...problems, ...checkCases(files, server, sources)]
    return all.map(problem => inWords(problem).replace(/^policies\/tests\/one\.json:/, ''))
  }

  const subject = { sub: 'alice', email: 'alice@example.com', email_verified: true, groups: [] }
  const defaults = { client: 'sample', request: { subject_token_type: types.jwt }, subject }
  const message = { connection: 'sample-idp' }
  const oneCase = (own: object) => {
    const { subject: _jwt, ...others } = defaults
    return {
      defaults: 'message' in own ? others : defaults,
      cases: [{ name: 'one', expect: {}, ...('message' in own && { subject: people }), ...own }],
    }
  }

  const mistakes: Array<[what: string, of: object, line: RegExp]> = [
    [
      'a member that no such token has',
      { message, subject: { nameID: { value: 'alice' } } },
      /^\d+:9 cases\[0\]\.subject\.nameID: unknown member "nameID"; did you mean "nameId"\?$/,
    ],
    ['a time that is none', { subject: { exp: 'tomorrow' } }, /cases\[0\]\.subject\.exp: expected a time/],
    [
      'a time of an actor that is none',
      { request: { actor_token_type: types.jwt }, actor: { sub: 'agent-7', exp: 'soon' } },
      /cases\[0\]\.actor\.exp: expected a time/,
    ],
    [
      'a lookup',
      { lookups: { preson: null } },
      /cases\[0\]\.lookups\.preson: the policy "people" has no lookup "preson"; did you mean "person"\?$/,
    ],
    [
      'an attribute of a lookup',
      { lookups: { person: { nubmer: '1' } } },
      /cases\[0\]\.lookups\.person\.nubmer: the lookup "person" does not fetch "nubmer"; did you mean "number"\?$/,
    ],
    ['what a lookup finds', { lookups: { person: { number: 1 } } }, /cases\[0\]\.lookups\.person: the lookup "person" cannot find this: /],
    [
      'a type of token',
      { request: { subject_token_type: `${types.jwt}s` } },
      /cases\[0\]\.request\.subject_token_type: no policy takes tokens of the type ".*"; did you mean ".*jwt"\?$/,
    ],
    [
      'an audience',
      { request: { audience: 'ordres' } },
      /request\.audience: no target has the audience "ordres"; did you mean "orders"\?$/,
    ],
    [
      'a resource',
      { request: { resource: 'http://localhost:3001/order/' } },
      /request\.resource: no target has the resource ".*"; did you mean "http:\/\/localhost:3001\/orders\/"\?/,
    ],
    [
      'a type that is wanted',
      { request: { requested_token_type: 'urn:x:y' } },
      /request\.requested_token_type: nothing makes tokens of the type "urn:x:y"$/,
    ],
    [
      'a claim',
      { expect: { accessTokenManager: 'orders', claims: { emial: 'x' } } },
      /expect\.claims\.emial: no token of "orders" has "emial"; did you mean "email"\?$/,
    ],
    [
      'a claim that another target has',
      { expect: { accessTokenManager: 'orders', claims: { shoeSize: '42' } } },
      /expect\.claims\.shoeSize: no token of "orders" has "shoeSize"$/,
    ],
    [
      'an attribute',
      { request: ledger, expect: { attributes: { SAML_SUBJCET: 'x' } } },
      /attributes\.SAML_SUBJCET: no token of this server has "SAML_SUBJCET"; did you mean "SAML_SUBJECT"\?$/,
    ],
    [
      'what is to be absent',
      { expect: { absent: ['cleint_id'] } },
      /expect\.absent\[0\]: no token of this server has "cleint_id", so that this proves nothing; did you mean "client_id"\?$/,
    ],
    [
      'a scope',
      { expect: { scope: 'orders.raed' } },
      /expect\.scope: no client has the scope "orders\.raed"; did you mean "orders\.read"\?$/,
    ],
    [
      'a setting',
      { expect: { error: 'invalid_request', setting: 'clients/sampel.json scopes' } },
      /expect\.setting: there is no file clients\/sampel\.json; did you mean "clients\/sample\.json"\?$/,
    ],
    [
      'a virtual server',
      { message: { ...message, virtualServerId: 'https://audit.sample.exmaple' }, subject: people },
      /message\.virtualServerId: the connection "sample-idp" has no virtual server ".*"; did you mean "https:\/\/audit\.sample\.example"\?$/,
    ],
    [
      'a service',
      { message: { ...message, AppliesTo: 'http://localhost:3002/ledger/wz' }, subject: people },
      /message\.AppliesTo: no connection issues anything for ".*"; did you mean "http:\/\/localhost:3002\/ledger\/ws"\?$/,
    ],
    [
      'a generator that is none',
      { message, expect: { tokenGenerator: 'apart' } },
      /expect\.tokenGenerator: there is no policies\/token-generators\/apart\.json/,
    ],
    [
      'an attribute that a generator does not have',
      { message, subject: people, expect: { tokenGenerator: 'ledger-saml2', attributes: { email: 'x' } } },
      /expect\.attributes\.email: no token of "ledger-saml2" has "email"$/,
    ],
    [
      'a code that is no fault',
      { message, subject: people, expect: { error: 'invalid_request' } },
      /expect\.error: "invalid_request" is a code of the token endpoint; a WS-Trust message is refused by a fault/,
    ],
    ['a fault that is no code', { expect: { error: 'wst:RequestFailed' } }, /expect\.error: "wst:RequestFailed" is a fault of WS-Trust/],
    [
      'a status of a request',
      { expect: { status: 'valid' } },
      /expect\.status: nothing of the kind comes of a request to the token endpoint$/,
    ],
    [
      'a reason that goes with another fault',
      { message, expect: { error: 'wst:BadRequest', reason: 'criterion-failed' } },
      /expect\.reason: goes with the code "wst:RequestFailed"$/,
    ],
    ['a request and a message', { message, request: {} }, /message: a case has a request or a WS-Trust message, not both$/],
  ]

  for (const [what, own, line] of mistakes) {
    it(`are found: ${what}`, async () => {
      const lines = await reported(oneCase(own))
      expect(lines, lines.join('\n')).to.have.length(1)
      expect(lines[0]).to.match(line)
    })
  }

  it('are found in the defaults, once', async () => {
    const lookups = { preson: null }
    const file = { defaults: { ...defaults, lookups }, cases: ['one', 'two'].map(name => ({ name, expect: {} })) }
    expect(await reported(file)).to.deep.equal([
      '14:7 defaults.lookups.preson: the policy "people" has no lookup "preson"; did you mean "person"?',
    ])
  })

  const none: Array<[what: string, of: object]> = [
    ['what a refusal is about', { request: { audience: 'ordres', subject_token_type: 'urn:x:y' }, expect: { error: 'invalid_target' } }],
    ['a claim that the exchange decides', { expect: { claims: { client_id: 'sample', act: { sub: 'x' }, scope: 'x' } } }],
    ['the claim of another target that is absent', { expect: { absent: ['shoeSize', 'password'] } }],
    ['a target that the policy does not issue to, today', { expect: { accessTokenManager: 'apart', claims: { shoeSize: '42' } } }],
    ['a part of a setting', { expect: { error: 'invalid_request', setting: 'sample-people.json' } }],
    ['a token that is refused', { subject: { iss: 'https://else.example' }, expect: { error: 'invalid_request' } }],
    [
      'a virtual server that is to be refused',
      { message: { ...message, virtualServerId: 'urn:x' }, subject: people, expect: { error: 'wst:RequestFailed' } },
    ],
  ]
  for (const [what, own] of none) {
    it(`are none: ${what}`, async () => {
      expect(await reported(oneCase(own))).to.deep.equal([])
    })
  }
})
