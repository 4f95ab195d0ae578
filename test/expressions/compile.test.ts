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
      ['subject.emial', text, /^subject has no "emial"; did you mean "email"\?$/],
      ['subject.address.ctiy', text, /^subject\.address has no "ctiy"; did you mean "city"\?$/],
      ["subject['emial']", text, /^subject has no "emial"; did you mean "email"\?$/],
      ['has(subject.emial)', { type: 'boolean' }, /^subject has no "emial"; did you mean "email"\?$/],
      ['has(subject.address.ctiy)', { type: 'boolean' }, /^subject\.address has no "ctiy"; did you mean "city"\?$/],
      [
        'subjekt.email',
        text,
        /^there is no variable "subjekt"; here you may read subject, policy, act, context; did you mean "subject"\?$/,
      ],
      ['actor.sub', text, /^there is no variable "actor"; here you may read/],
      ['subject.email', { type: 'boolean' }, /^this gives a string, but a boolean is needed$/],
      ['subject.groups', text, /^this gives a list of strings, but a string is needed$/],
      ['subject.groups', { type: 'array', items: { type: 'number' } }, /but a list of numbers is needed$/],
      ['policy.groups.filter(g, true)', text, /^this gives a list, but a string is needed$/],
      ['null', text, /^this gives null, but a string is needed$/],
      ['has(subject.name) ? subject.name : null', text, /^this may give null, but a string is needed$/],
      [
        'has(subject.name) ? subject.level : null',
        { type: ['string', 'null'] },
        /^this gives a number \(double\), but a string or null is needed$/,
      ],
      ['subject.level + 1', { type: 'number' }, /JSON numbers are doubles/],
      ['subject.level == 3', { type: 'boolean' }, /JSON numbers are doubles/],
      ['subject.email + 1', text, /^"\+" does not go between a string and a whole number \(int\)$/],
      ['!subject.email', { type: 'boolean' }, /^"!" cannot be put before a string$/],
      ["subject.verified ? 'a' : 1", text, /^the branches must have the same type, and are a string and a whole number/],
      ['subject.email && true', { type: 'boolean' }, /^a condition is true or false, and this is a string$/],
      ['subject.groups.filter(g, g)', { type: 'array' }, /^a condition is true or false, and this is a string$/],
      ['subject.email.foo', text, /^a string has no members$/],
      ['subject.verified.map(x, x)', { type: 'array' }, /^only lists and objects can be gone through, and this is a boolean$/],
      ['subject.email +', text, /^the expression ends where a value is expected$/],
      ['(subject.email', text, /^the expression ends where "\)" is expected$/],
      ['subject..email', text, /^a name is expected here, not "\."$/],
      ['subject.email = subject.email', { type: 'boolean' }, /^"=" is not expected here; did you mean "=="\?$/],
      ['subject.verified | true', { type: 'boolean' }, /^"\|" is not expected here; did you mean "\|\|"\?$/],
      ["'x", text, /^the string that starts here has no end$/],
      ["subject.email.matches('\\d')", { type: 'boolean' }, /^"\\d" is no escape; in a pattern, write the string as r'…'$/],
      ['', text, /^the expression ends where a value is expected$/],
      ["timestamp('2026-01-01T00:00:00Z')", {}, /^this gives a timestamp, but a value of JSON is needed$/],
      ["b'abc'", {}, /^this gives bytes,/],
      ['subject.email.matches(subject.email)', { type: 'boolean' }, /must be a literal/],
      ["subject.email.matches('(')", { type: 'boolean' }, /^this pattern cannot be used: missing closing \)/],
      ["subject.email.matches('(?=a)')", { type: 'boolean' }, /^this pattern cannot be used: .*without look-around/],
      ['subject.email.nothing()', text, /^there is no function "nothing"$/],
      ['subject.email.startWith(subject.email)', text, /^there is no function "startWith"; did you mean "startsWith"\?$/],
      ['subject.email.startsWith(1)', text, /^a string: startsWith\(\) does not take a whole number \(int\)$/],
      ['size()', text, /^size\(\) does not take no arguments$/],
    ]
    for (const [source, expected, message] of cases) it(source, () => expect(problem(source, expected).message).to.match(message))

    const places: Array<[string, number]> = [
      ['subject.email + subject.emial', 24],
      ['has(subject.email) && has(subject.address.ctiy)', 42],
      // What stands beside a literal null is checked in another form, and reported where it stands.
      ['has(subject.name) ? subject.emial : null', 28],
      ['has(subject.name) ? (has(subject.name) ? subject.name : null) : (subject.emial)', 73],
      ['has(subject.name) ? null : [subject.emial]', 36],
      ["subject.email.matches('(')", 22],
      ["'x' +\n  subject.emial", 16],
    ]
    for (const [source, offset] of places) {
      it(`say where in ${source}`, () => expect(problem(source).offset).to.equal(offset))
    }
  })

  describe('fail closed at run time', () => {
    const dynamic: Declarations = { policy: undefined }
    it('but take what a list out of something dynamic may be', () => {
      const { expression } = compile("policy.groups.filter(g, g.startsWith('app-'))", texts, dynamic)
      expect(expression.evaluate({ policy: { groups: ['app-a', 'b'] } })).to.deep.equal(['app-a'])
    })

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
