import { expect } from 'chai'
import { SchemaCompiler, SchemaMistake } from '../../src/config/json-schema.ts'
import type { Path } from '../../src/config/problems.ts'
import type { JsonObject } from '../../src/json.ts'
import { type Parts, SettingProblem } from '../../src/plugin.ts'
import { buildContract, buildLoggedContract } from '../../src/policies/contract.ts'

const said: string[] = []
const compiler = new SchemaCompiler()
const parts = {
  jsonSchema(schema: JsonObject, path: Path) {
    try {
      return compiler.compile(schema)
    } catch (error) {
      if (error instanceof SchemaMistake) throw new SettingProblem([...path, ...error.path], error.message)
      throw error
    }
  },
  problem: (path: Path, message: string) => said.push(`${path.join('.')}: ${message}`),
} as unknown as Parts

describe('policies/contract', () => {
  const contract = buildContract(
    {
      subject: { type: 'string', minLength: 1 },
      email: { type: 'string', format: 'email' },
      groups: { type: 'array', items: { type: 'string', pattern: '^app-' } },
      nickname: { type: ['string', 'null'] },
      anything: {},
    },
    parts,
    ['contract'],
  )
  const kept = { subject: 'alice', email: 'alice@example.com', groups: ['app-orders'], anything: 7 }

  const cases: Array<[what: string, change: Record<string, unknown>, problem: string | undefined]> = [
    ['what it promises', {}, undefined],
    ['an attribute that may be null', { nickname: 'al' }, undefined],
    ['an attribute that is missing', { email: undefined }, 'email is missing'],
    ['one that may be anything, and is missing', { anything: undefined }, 'anything is missing'],
    ['a value of the wrong type', { subject: 7 }, 'subject must be string'],
    ['a value that is too short', { subject: '' }, 'subject must NOT have fewer than 1 characters'],
    ['a value of the wrong form', { email: 'alice' }, 'email must match format "email"'],
    ['a value within a list', { groups: ['app-a', 'staff'] }, 'groups.1 must match pattern "^app-"'],
  ]
  for (const [what, change, problem] of cases) {
    it(`${problem === undefined ? 'takes' : 'refuses'} ${what}`, () => {
      expect(contract.problem({ ...kept, ...change } as JsonObject)?.message).to.equal(problem)
    })
  }

  it('takes attributes by their own names only', () => {
    const inherited = buildContract({ constructor: { type: 'string' } }, parts, ['contract'])
    expect(inherited.problem({})).to.deep.equal({ attribute: 'constructor', message: 'constructor is missing' })
    expect(inherited.problem({ constructor: 'x' })).to.equal(undefined)
  })

  it('lets attributes be logged where it says so', () => {
    const logged = buildLoggedContract(
      { subject: { type: 'string', log: true }, email: { type: 'string', log: false }, name: { type: 'string' } },
      parts,
      ['contract'],
    )
    expect(logged.loggable).to.deep.equal(['subject'])
    expect(logged.attributes.subject).to.deep.equal({ type: 'string' })
    expect(logged.problem({ subject: 'a', email: 'b', name: 'c' })).to.equal(undefined)
  })

  it('reports "log" that is no truth value, and "log" where nothing is logged', () => {
    buildLoggedContract({ subject: { type: 'string', log: 'yes' } }, parts, ['contract'])
    expect(said).to.deep.equal(['contract.subject.log: expected true or false'])
    expect(() => buildContract({ sub: { type: 'string', log: true } }, parts, ['contract']))
      .to.throw(SettingProblem)
      .with.deep.property('path', ['contract', 'sub', 'log'])
  })
})
