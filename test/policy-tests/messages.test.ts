import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { digestSecret } from '../../src/clients/secrets.ts'
import { readSources } from '../../src/config/read.ts'
import { linesOf } from '../../src/policy-tests/in-words.ts'
import { loadTests } from '../../src/policy-tests/load-tests.ts'
import { runTests } from '../../src/policy-tests/run.ts'
import type { Server } from '../../src/server.ts'
import { authority, certify } from '../support/certificate-authority.ts'
import { sampleFiles, sampleFolder } from '../support/sample.ts'
import { serverOf } from './sample-server.ts'

const text = { type: 'string' }
const audit = 'https://audit.sample.example'
const ledger = 'http://localhost:3002/ledger/ws'
const saml11 = 'urn:oasis:names:tc:SAML:1.0:assertion'

describe('a WS-Trust message in a policy test', function () {
  this.timeout(60_000)
  let remove: () => Promise<void>
  let folder: string
  let server: Server
  before(async () => {
    const files = await sampleFiles()
    const forLedger = (subject: string) => [
      { tokenGenerator: 'ledger-saml2', default: true, attributes: { SAML_SUBJECT: subject, groups: '[context.clientIp]' } },
    ]
    const connection = (tokenProcessor: string, entityId: string, subject: string, more: object = {}) => ({
      ...{ entityId, tokenProcessor, processing: 'validate-and-issue', contract: { TOKEN_SUBJECT: text } },
      ...{ attributes: { TOKEN_SUBJECT: subject }, generators: forLedger('policy.TOKEN_SUBJECT'), ...more },
    })
    const person = { dataStore: 'directory', filter: '(uid={assertion.sub})', attributes: ['number'] }
    const sample = files['clients/sample.json'] as object
    const connections = ['sample-idp', 'people', 'users', 'devices', 'old']
    const root = [{ file: 'keys/root.pem' }]
    const proxies = { addresses: ['127.0.0.1'], clientCertificate: { trustAnchors: root } }
    const shared = files['server.json'] as { listen: object }
    const written = await sampleFolder({
      'server.json': { ...shared, listen: { ...shared.listen, proxies } },
      'clients/sample.json': { ...sample, wsTrust: { enabled: true, connections } },
      'keys/root.pem': certify({ subject: '/CN=root', extensions: authority }).certificate,
      'policies/token-processors/users.json': {
        ...{ type: 'username', issuer: 'urn:users' },
        users: { alice: { passwords: [{ hash: digestSecret('x'.repeat(32)).text }] } },
      },
      'policies/token-processors/devices.json': { type: 'x509', issuer: 'urn:devices', trustAnchors: root },
      'policies/token-processors/old.json': {
        ...{ type: 'saml11', issuers: [{ entityId: 'urn:old', certificates: [{ file: 'keys/sample-idp.crt.pem' }] }] },
      },
      'policies/data-stores/directory.json': {
        ...{ type: 'ldap', servers: ['ldaps://directory.invalid'], base: 'dc=example', bind: 'anonymous', attributes: { number: text } },
      },
      'policies/idp-connections/people.json': connection('sample-people', 'https://people.sample.example', 'lookup.person.number', {
        actorTokenProcessor: 'sample-agents',
        lookups: { person },
      }),
      'policies/idp-connections/users.json': connection('users', 'urn:users', 'assertion.username'),
      'policies/idp-connections/devices.json': connection('devices', 'urn:devices', 'assertion.san.dns[0]'),
      'policies/idp-connections/old.json': connection('old', 'urn:old', 'assertion.nameId.value', {
        processing: 'validate',
        generators: [],
      }),
    })
    ;({ folder, remove } = written)
    server = await serverOf(folder)
  })
  after(() => remove())

  const alice = { nameId: { value: 'alice@example.com' }, attributes: { uid: 'alice', groups: ['app-ledger', 'staff'] } }
  const token = { email: 'alice@example.com', email_verified: true, groups: [], sub: 'alice' }
  const forPeople = { message: { connection: 'people' }, subject: token, lookups: { person: { number: '0042' } } }
  const agent = { iss: 'https://agents.sample.example', sub: 'agent-7' }

  const asExpected: Array<[what: string, of: object]> = [
    ['nothing in particular', { expect: { tokenGenerator: 'ledger-saml2', idpConnection: 'sample-idp', expires_in: 300 } }],
    [
      'an address',
      { message: { AppliesTo: ledger }, expect: { attributes: { SAML_SUBJECT: 'alice@example.com', groups: ['app-ledger'] } } },
    ],
    [
      'an address that nobody has',
      { message: { AppliesTo: `${ledger}/2` }, expect: { error: 'wst:InvalidScope', reason: 'target-unknown' } },
    ],
    [
      'the type that only one virtual server may have',
      {
        message: { virtualServerId: audit, TokenType: saml11 },
        subject: { authnInstant: '-1m' },
        expect: { tokenGenerator: 'ledger-saml11', issued_token_type: 'urn:ietf:params:oauth:token-type:saml1' },
      },
    ],
    ['that type elsewhere', { message: { TokenType: saml11 }, expect: { error: 'wst:BadRequest', setting: 'sample-idp.json generators' } }],
    ['a virtual server that is none', { message: { virtualServerId: 'urn:x' }, expect: { error: 'wst:RequestFailed' } }],
    [
      'a token for another virtual server',
      {
        message: { virtualServerId: audit },
        subject: { audiences: ['https://sts.sample.example'] },
        expect: { error: 'wst:FailedAuthentication' },
      },
    ],
    ['a token of somebody else', { subject: { issuer: 'urn:else' }, expect: { error: 'wst:FailedAuthentication' } }],
    [
      'no connection, and the issuer',
      { message: { connection: null }, subject: { issuer: 'https://idp.sample.example' }, expect: { idpConnection: 'sample-idp' } },
    ],
    [
      'no connection, and a stranger',
      {
        message: { connection: null },
        subject: { issuer: 'urn:else' },
        expect: { reason: 'connection-not-available', error: 'wst:RequestFailed' },
      },
    ],
    [
      'a connection of others',
      {
        client: 'orders',
        expect: { error: 'wst:RequestFailed', reason: 'ws-trust-not-enabled', setting: 'clients/orders.json wsTrust.enabled' },
      },
    ],
    ['whether it is valid', { message: { RequestType: 'Validate' }, expect: { status: 'valid', idpConnection: 'sample-idp' } }],
    [
      'whether one is that has expired',
      {
        message: { RequestType: 'Validate' },
        subject: { notOnOrAfter: '-5m' },
        expect: { status: 'invalid', reason: 'subject-token-rejected' },
      },
    ],
    [
      'whether it is, and a token',
      {
        message: { RequestType: 'Validate', TokenType: 'urn:ietf:params:oauth:token-type:saml2' },
        expect: { tokenGenerator: 'ledger-saml2' },
      },
    ],
    [
      'the same by its status',
      { message: { RequestType: 'Validate', TokenType: 'urn:ietf:params:oauth:token-type:saml2' }, expect: { status: 'valid' } },
    ],
    ['who acts: the client', { message: { ActAs: true }, expect: { act: { iss: 'http://localhost:3000', sub: 'sample' } } }],
    ['one of SAML 1.1', { message: { connection: 'old', RequestType: 'Validate' }, expect: { status: 'valid', idpConnection: 'old' } }],
    ['more than that', { message: { connection: 'old' }, expect: { error: 'wst:RequestFailed', setting: 'old.json processing' } }],
    ['a JWT, with a lookup', { ...forPeople, expect: { attributes: { SAML_SUBJECT: '0042' } } }],
    [
      'a JWT whose lookup finds nothing',
      { ...forPeople, lookups: { person: null }, expect: { error: 'wst:RequestFailed', reason: 'lookup-found-nothing' } },
    ],
    ['an agent for somebody', { ...forPeople, actor: { sub: 'agent-7' }, expect: { act: agent } }],
    [
      'an agent whose token has expired',
      {
        ...forPeople,
        actor: { sub: 'agent-7', exp: '-1h' },
        expect: { error: 'wst:FailedAuthentication', reason: 'actor-token-rejected' },
      },
    ],
    [
      'a user',
      {
        message: { connection: 'users' },
        subject: { username: 'alice' },
        clientIp: '10.0.0.1',
        expect: { attributes: { SAML_SUBJECT: 'alice', groups: ['10.0.0.1'] } },
      },
    ],
    [
      'a device',
      {
        message: { connection: 'devices' },
        subject: { subjectDn: 'CN=d1', san: { dns: ['d1.example'] } },
        expect: { attributes: { SAML_SUBJECT: 'd1.example', groups: ['127.0.0.1'] }, exactly: true },
      },
    ],
  ]

  for (const [what, own] of asExpected) {
    it(`asks for ${what}`, async () => {
      expect(await played(own)).to.deep.equal([])
    })
  }

  const differing: Array<[what: string, of: object, line: string]> = [
    [
      'a token instead of a refusal',
      { expect: { error: 'wst:InvalidScope' } },
      '  actual    "a token (urn:ietf:params:oauth:token-type:saml2)"',
    ],
    ['a refusal instead of a token', { message: { AppliesTo: 'urn:x' }, expect: {} }, '  actual    "refused: wst:InvalidScope"'],
    ['a status instead of a token', { message: { RequestType: 'Validate' }, expect: {} }, '  actual    "status/valid"'],
    ['a token instead of a status', { expect: { status: 'valid' } }, '  expected  "status/valid"'],
    [
      'the other status, and why',
      { message: { RequestType: 'Validate' }, subject: { notOnOrAfter: '-5m' }, expect: { status: 'valid' } },
      '            subject-token-rejected: the subject token is refused: it has expired',
    ],
    ['another code', { message: { AppliesTo: 'urn:x' }, expect: { error: 'wst:BadRequest' } }, '  actual    "wst:InvalidScope"'],
    ['another connection', { expect: { idpConnection: 'old' } }, '  actual    "sample-idp"'],
  ]

  for (const [what, own, line] of differing) {
    it(`says that there was ${what}`, async () => {
      expect(await played(own)).to.include(line)
    })
  }

  /** What is not as expected, line by line. */
  async function played(own: { message?: { connection?: string | null } }): Promise<readonly string[]> {
    const takesAssertions = !['people', 'users', 'devices'].includes(own.message?.connection ?? '')
    const defaults = { client: 'sample', message: { connection: 'sample-idp' }, ...(takesAssertions && { subject: alice }) }
    await writeFile(join(folder, 'policies/tests/one.json'), JSON.stringify({ defaults, cases: [{ name: 'one', ...own }] }))
    const { files, problems } = await loadTests(folder, await readSources(folder))
    expect(problems).to.deep.equal([])
    const [result] = await runTests(
      files.filter(({ id }) => id === 'one'),
      server,
      setting => setting,
    )
    return linesOf(result?.cases[0]?.differences ?? [{ what: 'nothing was played', expected: undefined, actual: undefined }])
  }
})
