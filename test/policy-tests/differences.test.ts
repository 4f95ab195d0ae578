import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readSources } from '../../src/config/read.ts'
import { compare, type Difference } from '../../src/policy-tests/compare.ts'
import { inWords } from '../../src/policy-tests/in-words.ts'
import { junit } from '../../src/policy-tests/junit.ts'
import { loadTests, type TestFile } from '../../src/policy-tests/load-tests.ts'
import { play } from '../../src/policy-tests/play.ts'
import { runTests } from '../../src/policy-tests/run.ts'
import type { Server } from '../../src/server.ts'
import { requireProgram } from '../interop/tools.ts'
import { writeFiles } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { repository, sampleFiles, sampleFolder } from '../support/sample.ts'
import { serverOf } from './sample-server.ts'

const alice = { sub: 'alice', email: 'alice@example.com', email_verified: true, groups: ['app-orders'], scope: 'orders.read' }
const jwt = { subject_token_type: types.jwt, resource: 'http://localhost:3001/orders/' }
const toLedger = { subject_token_type: types.jwt, audience: 'ledger' }

describe('the differences that a policy test shows', () => {
  let server: Server
  let removal: Array<() => Promise<void>> = []
  before(async () => {
    const { folder, remove } = await sampleFolder()
    removal.push(remove)
    server = await serverOf(folder)
  })
  after(async () => {
    for (const remove of removal) await remove()
    removal = []
  })

  async function loaded(cases: readonly object[]): Promise<TestFile> {
    const { folder, remove } = await writeFiles({
      ...(await sampleFiles()),
      'policies/tests/one.json': { defaults: { client: 'sample' }, cases },
    })
    removal.push(remove)
    const { files, problems } = await loadTests(folder, await readSources(folder))
    expect(problems).to.deep.equal([])
    return files.find(({ id }) => id === 'one') as TestFile
  }

  async function differences(expected: object, more: object = {}): Promise<readonly Difference[]> {
    const { cases } = await loaded([{ name: 'it', request: jwt, subject: alice, ...more, expect: expected }])
    const [only] = cases
    if (only === undefined) throw new Error('there is a case')
    return compare(only, await play(only, server), setting => `<${setting}>`)
  }

  const claims = { iss: 'http://localhost:3000', sub: 'alice', aud: 'http://localhost:3001/orders/', client_id: 'sample' }
  const everything = { ...claims, email: 'alice@example.com', groups: ['app-orders'], scope: 'orders.read' }
  const right: Array<[string, object, object?]> = [
    ['nothing more than a token', {}],
    ['every claim', { claims: everything, exactly: true }],
    ['some', { claims: { sub: 'alice' }, absent: ['act', 'toString'] }],
    ['the mapped attributes', { attributes: { sub: 'alice', email: 'alice@example.com', groups: ['app-orders'] }, exactly: true }],
    ['no scope', { scope: '' }, { request: toLedger }],
    ['nobody who acts, and nothing in audit mode', { act: null, wouldRefuse: [] }],
    ['a refusal', { error: 'invalid_target' }, { request: { ...jwt, resource: 'http://x.example/' } }],
  ]
  for (const [what, expected, more] of right) {
    it(`are none for ${what}`, async () => expect(await differences(expected, more)).to.deep.equal([]))
  }

  const wrong: Array<[string, object, Difference[], object?]> = [
    ['a claim', { claims: { sub: 'bob', groups: ['app-orders'] } }, [{ what: 'claims.sub', expected: 'bob', actual: 'alice' }]],
    ['a claim that is not there', { claims: { toString: 'x' } }, [{ what: 'claims.toString', expected: 'x', actual: undefined }]],
    ['a part of a list', { claims: { groups: [] } }, [{ what: 'claims.groups', expected: [], actual: ['app-orders'] }]],
    [
      'one claim more',
      { claims, exactly: true },
      [
        { what: 'claims.email', expected: undefined, actual: 'alice@example.com' },
        { what: 'claims.groups', expected: undefined, actual: ['app-orders'] },
        { what: 'claims.scope', expected: undefined, actual: 'orders.read' },
      ],
    ],
    ['a claim that must not be there', { absent: ['email'] }, [{ what: 'claims.email', expected: undefined, actual: 'alice@example.com' }]],
    ['an attribute', { attributes: { sub: 'bob' } }, [{ what: 'attributes.sub', expected: 'bob', actual: 'alice' }]],
    [
      'the answer',
      { scope: 'orders.write', expires_in: 1, issued_token_type: types.jwt },
      [
        { what: 'issued_token_type', expected: types.jwt, actual: types.accessToken },
        { what: 'expires_in', expected: 1, actual: 600 },
        { what: 'scope', expected: 'orders.write', actual: 'orders.read' },
      ],
    ],
    [
      'another manager',
      { accessTokenManager: 'billing', tokenGenerator: 'ledger-saml2', generatorGroup: 'ledger' },
      [
        { what: 'accessTokenManager', expected: 'billing', actual: 'orders' },
        { what: 'generatorGroup', expected: 'ledger', actual: undefined },
        { what: 'tokenGenerator', expected: 'ledger-saml2', actual: undefined },
      ],
    ],
    ['an actor', { act: { sub: 'x' } }, [{ what: 'act', expected: { sub: 'x' }, actual: undefined }]],
    ['what is only recorded', { wouldRefuse: ['criterion-failed'] }, [{ what: 'wouldRefuse', expected: ['criterion-failed'], actual: [] }]],
    [
      'claims of an assertion',
      { claims: { sub: 'alice' } },
      [
        {
          what: 'claims',
          expected: { sub: 'alice' },
          actual: undefined,
          notes: ['the token is an assertion, which has no claims: expect "attributes"'],
        },
      ],
      { request: toLedger },
    ],
    [
      'a refusal of what is issued',
      { error: 'invalid_target' },
      [{ what: 'the answer', expected: 'refused: invalid_target', actual: `a token (${types.accessToken})` }],
    ],
    [
      'a token where there is a refusal, with the reason and the setting',
      {},
      [
        {
          what: 'the answer',
          expected: 'a token',
          actual: 'refused: invalid_scope',
          notes: [
            'scope-not-available: this client and subject cannot have the scope orders.write at this target',
            'decided by <clients/sample.json scopes>',
          ],
        },
      ],
      { request: { ...jwt, scope: 'orders.write' } },
    ],
    [
      'another refusal',
      { error: 'invalid_target', reason: 'target-missing', error_description: 'no default', setting: 'server.json' },
      [
        {
          what: 'error',
          expected: 'invalid_target',
          actual: 'invalid_scope',
          notes: [
            'scope-not-available: this client and subject cannot have the scope orders.write at this target',
            'decided by <clients/sample.json scopes>',
          ],
        },
        { what: 'reason', expected: 'target-missing', actual: 'scope-not-available' },
        {
          what: 'error_description',
          expected: 'no default',
          actual: 'this client and subject cannot have the scope orders.write at this target',
        },
        { what: 'setting', expected: 'server.json', actual: 'clients/sample.json scopes' },
      ],
      { request: { ...jwt, scope: 'orders.write' } },
    ],
  ]
  for (const [what, expected, found, more] of wrong) {
    it(`are told for ${what}`, async () => expect(await differences(expected, more)).to.deep.equal(found))
  }

  it('are printed below the case, with its place', async () => {
    const file = await loaded([
      { name: 'right', request: jwt, subject: alice, expect: {} },
      { name: 'wrong', request: jwt, subject: { ...alice, email_verified: false }, expect: { claims: { sub: 'alice' } } },
    ])
    const lines = inWords(await runTests([file], server, setting => setting))
    expect(lines.slice(0, -1)).to.deep.equal([
      'policies/tests/one.json',
      '  ✓ right',
      '  ✗ wrong',
      '      policies/tests/one.json:23:5',
      '      the answer',
      '        expected  "a token"',
      '        actual    "refused: invalid_request"',
      '                  criterion-failed: the e-mail address is not verified',
      '                  decided by policies/processor-policies/people.json processors[0].criteria[0].require',
    ])
    expect(lines.at(-1)).to.match(/^2 cases, 1 not as expected \(\d+ ms\)$/)
  })

  it('are well-formed JUnit, whatever the names', async function () {
    requireProgram(this, 'xmllint', ['--version'], 'CAMBIST_REQUIRE_XML_TOOLS')
    const names = ['<a> & "b" \'c\'', 'tab\tline\nbreak', 'control\u0001\ud800\ufffe', ']]> 😀']
    const file = await loaded(names.map(name => ({ name, request: jwt, subject: alice, expect: { claims: { sub: `${name}]]>` } } })))
    const xml = junit(await runTests([file], server, setting => setting))
    const parsed = spawnSync('xmllint', ['--xpath', 'string(//testcase[1]/@name)', '-'], { input: xml, encoding: 'utf8' })
    expect({ status: parsed.status, stderr: parsed.stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(parsed.stdout.trim()).to.equal(names[0])
    const count = spawnSync('xmllint', ['--xpath', 'count(//testcase/failure[@message])', '-'], { input: xml, encoding: 'utf8' })
    expect(count.stdout.trim()).to.equal('4')
    expect(xml).to.match(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="cambist test" tests="4" failures="4" errors="0" /)
  })
})

describe('the policy tests of the sample', () => {
  it('come out as expected, and know every policy, manager, generator and processor of it', async () => {
    const { folder, remove } = await sampleFolder()
    try {
      const { files, problems } = await loadTests(folder, await readSources(folder))
      expect(problems).to.deep.equal([])
      const results = await runTests(files, await serverOf(folder), setting => setting)
      expect(results.flatMap(({ cases }) => cases.filter(each => each.differences.length > 0))).to.deep.equal([])
      const text = await Promise.all(files.map(({ file }) => readFile(join(repository, file), 'utf8')))
      for (const id of ['people', 'orders', 'billing', 'ledger-saml2', 'sample-people', 'sample-agents', 'sample-saml2'])
        expect(text.join(''), id).to.include(id)
    } finally {
      await remove()
    }
  })
})
