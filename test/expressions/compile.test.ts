import { expect } from 'chai'
import { type Declarations, ExpressionCompiler, ExpressionProblem } from '../../src/expressions/compile.ts'
import type { Variables } from '../../src/expressions/expression.ts'
import type { JsonObject } from '../../src/json.ts'
import { OAuthError } from '../../src/oauth/errors.ts'

const text: JsonObject = { type: 'string' }
const texts: JsonObject = { type: 'array', items: text }
const subject: JsonObject = {
  type: 'object',
  required: ['email', 'verified', 'groups', 'level', 'address', 'https://example.com/tenant'],
  properties: {
    email: text,
    verified: { type: 'boolean' },
    groups: texts,
    level: { type: 'integer' },
    name: text,
    address: { type: 'object', required: ['city'], properties: { city: text, zip: text } },
    'https://example.com/tenant': text,
    anything: {},
  },
}
const declared: Declarations = { subject, policy: undefined, act: undefined }
const claims = {
  email: 'alice@example.com',
  verified: true,
  groups: ['app-orders', 'staff'],
  level: 3,
  address: { city: 'Basel' },
  'https://example.com/tenant': 'acme',
}
const variables: Variables = { subject: claims, policy: { subject: 'alice', rank: 2 }, act: { iss: 'https://a.example', sub: 'agent-7' } }

function compile(source: string, expected: JsonObject = {}, where: Declarations = declared) {
  return new ExpressionCompiler().compile(source, 'here', where, expected)
}

function evaluate(source: string, expected: JsonObject = {}) {
  return compile(source, expected).expression.evaluate(variables)
}

function problem(source: string, expected: JsonObject = {}): ExpressionProblem {
  try {
    compile(source, expected)
  } catch (error) {
    if (error instanceof ExpressionProblem) return error
    throw error
  }
  throw new Error(`${source} compiled`)
}

describe('expressions', () => {
  describe('evaluate what policies use', () => {
    const cases: Array<[string, unknown]> = [
      ['subject.email', 'alice@example.com'],
      ["subject['https://example.com/tenant']", 'acme'],
      ['subject.address.city', 'Basel'],
      ['subject.address', { city: 'Basel' }],
      ["subject.groups.filter(g, g.startsWith('app-'))", ['app-orders']],
      ["subject.groups.map(g, 'x-' + g)", ['x-app-orders', 'x-staff']],
      ["subject.groups.map(g, g != 'staff', g + '!')", ['app-orders!']],
      ["subject.groups.exists(g, g == 'staff')", true],
      ["subject.groups.all(g, g.contains('s'))", true],
      ["subject.groups.exists_one(g, g == 'staff')", true],
      ["'staff' in subject.groups", true],
      ["subject.groups + ['extra']", ['app-orders', 'staff', 'extra']],
      ['subject.groups[0]', 'app-orders'],
      ['size(subject.groups)', 2],
      ["subject.email.split('@')[1]", 'example.com'],
      ["subject.email.endsWith('@example.com') && subject.verified", true],
      ['subject.email.upperAscii()', 'ALICE@EXAMPLE.COM'],
      ["subject.groups.join(' ')", 'app-orders staff'],
      ['int(subject.level) + 1', 4],
      ['subject.level + 1.0', 4],
      ['subject.level > 2', true],
      ["has(subject.name) ? subject.name : 'nobody'", 'nobody'],
      ['has(subject.name) ? subject.name : null', null],
      ['has(subject.address.zip) ? subject.address.zip : null', null],
      ["{'sub': subject.email, 'level': 7}", { sub: 'alice@example.com', level: 7 }],
      ["[subject.email, 'second']", ['alice@example.com', 'second']],
      ["act == null ? 'nobody' : act.sub", 'agent-7'],
      ['act.sub', 'agent-7'],
      ["policy.subject + '@' + subject.address.city", 'alice@Basel'],
      ['policy.rank == 2', true],
      ['[]', []],
      ['null', null],
      ["subject.email.matches('^[a-z]+@example[.]com$')", true],
      ["(subject.email).matches(r'^\\w+@')", true],
      ["subject.groups.filter(g, g.matches('^app-'))", ['app-orders']],
      ["r'a\\b'", 'a\\b'],
      ["cel.bind(domain, subject.email.split('@')[1], domain + '/' + domain)", 'example.com/example.com'],
    ]
    for (const [source, value] of cases) it(source, () => expect(evaluate(source)).to.deep.equal(value))
  })

  describe('are refused when the configuration is loaded', () => {
    const cases: Array<[string, JsonObject, RegExp]> = [
      ['subject.emial', text, /emial; did you mean "email"\?/],
      ['subject.address.ctiy', text, /ctiy; did you mean "city"\?/],
      ['subjekt.email', text, /Unknown variable: subjekt; here you may read .*did you mean "subject"/],
      ['actor.sub', text, /Unknown variable: actor/],
      ['subject.email', { type: 'boolean' }, /gives a string, but the schema wants boolean/],
      ['subject.groups', text, /gives list<string>, but the schema wants string/],
      ['subject.groups', { type: 'array', items: { type: 'number' } }, /wants array of number/],
      ['null', text, /gives null/],
      ['has(subject.name) ? subject.name : null', text, /may give null, but the schema wants string/],
      ['has(subject.name) ? subject.level : null', { type: ['string', 'null'] }, /gives a number, but the schema wants string or null/],
      ['subject.level + 1', { type: 'number' }, /JSON numbers are doubles/],
      ['subject.level == 3', { type: 'boolean' }, /JSON numbers are doubles/],
      ["subject.verified ? 'a' : 1", text, /branches must have the same type/],
      ['subject.email +', text, /Unexpected token/],
      ['', text, /Unexpected|empty|EOF/],
      ["timestamp('2026-01-01T00:00:00Z')", {}, /Timestamp/],
      ["b'abc'", {}, /bytes/],
      ['subject.email.matches(subject.email)', { type: 'boolean' }, /must be a literal/],
      ["subject.email.matches('(')", { type: 'boolean' }, /cannot be used/],
      ["subject.email.matches('(?=a)')", { type: 'boolean' }, /cannot be used/],
      ['subject.email.nothing()', text, /nothing/],
    ]
    for (const [source, expected, message] of cases) it(source, () => expect(problem(source, expected).message).to.match(message))

    it('says where in the source', () => expect(problem('subject.email + subject.emial', text).offset).to.equal(24))
  })

  describe('fail closed at run time', () => {
    const dynamic: Declarations = { policy: undefined }
    const cases = [
      'policy.missing',
      'policy.rank + 1',
      "policy.subject['x']",
      'policy.constructor',
      "policy['__proto__']",
      'policy.toString',
      '1 / 0 == 1',
      '[1][5] == 1',
    ]
    for (const source of cases) {
      it(source, () => {
        const { expression } = compile(source, {}, dynamic)
        expect(() => expression.evaluate(variables)).to.throw(OAuthError, /the expression at here failed/)
      })
    }

    it('names the expression and never a value of the token', () => {
      const { expression } = compile("policy.subject['alice-secret'] == policy.subject", {}, dynamic)
      expect(() => expression.evaluate(variables))
        .to.throw()
        .with.property('message')
        .that.does.not.include('alice')
    })
  })

  it('match patterns in linear time', () => {
    const { expression } = compile("policy.subject.matches('^(a+)+$')", {}, { policy: undefined })
    expect(expression.evaluate({ policy: { subject: `${'a'.repeat(50_000)}!` } })).to.equal(false)
  })

  it('tell which variables they read', () => {
    expect([...compile("has(act.sub) ? act.sub : 'x'").expression.reads]).to.deep.equal(['act'])
    expect([...compile("subject.email + ' ' + policy.subject").expression.reads]).to.have.members(['subject', 'policy'])
  })

  describe('warn of members that may be absent', () => {
    const unguarded = (source: string) => compile(source).unguarded.map(({ path }) => path)
    it('read as they are', () => expect(unguarded('subject.name')).to.deep.equal(['subject.name']))
    it('nested', () => expect(unguarded('subject.address.zip')).to.deep.equal(['subject.address.zip']))
    it('not where has() guards a branch', () => expect(unguarded("has(subject.name) ? subject.name : 'x'")).to.deep.equal([]))
    it('not where !has() guards the other branch', () => expect(unguarded("!has(subject.name) ? 'x' : subject.name")).to.deep.equal([]))
    it('not behind has() &&', () => expect(unguarded("has(subject.name) && subject.name == 'x'")).to.deep.equal([]))
    it('not behind !has() ||', () => expect(unguarded("!has(subject.name) || subject.name == 'x'")).to.deep.equal([]))
    it('but in the wrong branch', () => expect(unguarded("has(subject.name) ? 'x' : subject.name")).to.deep.equal(['subject.name']))
  })
})
