import { expect } from 'chai'
import { SchemaCompiler, SchemaMistake } from '../../src/config/json-schema.ts'
import type { JsonObject, JsonValue } from '../../src/json.ts'

const compiler = new SchemaCompiler()

function mistake(schema: JsonObject): string {
  try {
    compiler.compile(schema)
  } catch (error) {
    if (error instanceof SchemaMistake) return `${error.path.map(String).join('/')}: ${error.message}`
    throw error
  }
  return 'none'
}

describe('config/json-schema', () => {
  // Each pattern was once the first pattern that any schema of the configuration had.
  it('holds every value against its own pattern', () => {
    const starting = ['a', 'b', 'c'].map(letter => compiler.compile({ type: 'string', pattern: `^${letter}` }))
    const both = compiler.compile({ properties: { x: { pattern: '^x' }, y: { pattern: '^y' } } })
    expect(starting.map(schema => schema.problem('b'))).to.deep.equal([
      'it must match pattern "^a"',
      undefined,
      'it must match pattern "^c"',
    ])
    expect(both.problem({ x: 'x', y: 'y' })).to.equal(undefined)
    expect(both.problem({ x: 'x', y: 'x' })).to.equal('y must match pattern "^y"')
  })

  it('holds names against their own patterns', () => {
    const schema = compiler.compile({
      patternProperties: { '^a': { type: 'string' }, '^b': { type: 'number' } },
      additionalProperties: false,
    })
    expect(schema.problem({ a1: 'x', b1: 1 })).to.equal(undefined)
    expect(schema.problem({ b1: 'x' })).to.equal('b1 must be number')
    expect(schema.problem({ c1: 1 })).to.equal('it must NOT have additional properties')
  })

  it('matches in linear time', () => {
    const schema = compiler.compile({ pattern: '^(a+)+$' })
    expect(schema.problem(`${'a'.repeat(50_000)}!`)).to.equal('it must match pattern "^(a+)+$"')
  })

  const refusals: Array<[JsonObject, JsonValue, string]> = [
    [{ format: 'email' }, 'alice', 'it must match format "email"'],
    [{ type: 'object', required: ['sub'] }, {}, "it must have required property 'sub'"],
    [{ properties: { a: { items: { type: 'string' } } } }, { a: ['x', 1] }, 'a.1 must be string'],
    [{ prefixItems: [{ const: 'a' }], items: false, minItems: 1 }, ['b'], '0 must be equal to constant'],
    [{ dependentRequired: { a: ['b'] } }, { a: 1 }, 'it must have property b when property a is present'],
    [{ $defs: { group: { pattern: '^app-' } }, items: { $ref: '#/$defs/group' } }, ['x'], '0 must match pattern "^app-"'],
  ]
  for (const [schema, value, problem] of refusals) {
    it(`says ${problem}`, () => expect(compiler.compile(schema).problem(value)).to.equal(problem))
  }

  it('never repeats a value', () => {
    const schema = compiler.compile({ properties: { a: { enum: ['x'] }, b: { const: 'y' }, c: { maxLength: 1 } } })
    for (const name of ['a', 'b', 'c']) expect(schema.problem({ [name]: 'hunter2' })).not.to.include('hunter2')
  })

  const mistakes: Array<[JsonObject, string]> = [
    [{ typ: 'string' }, 'typ: JSON Schema has no keyword "typ"; did you mean "type"?'],
    [{ nonsense: 1 }, 'nonsense: JSON Schema has no keyword "nonsense"'],
    [{ properties: { a: { maxLenght: 1 } } }, 'properties/a/maxLenght: JSON Schema has no keyword "maxLenght"; did you mean "maxLength"?'],
    [{ log: true }, 'log: "log" stands only directly in an attribute of a policy\'s contract'],
    [{ type: 'sting' }, 'type: there is no type "sting"; did you mean "string"?'],
    [{ type: ['string', 'nul'] }, 'type: there is no type "nul"; did you mean "null"?'],
    [
      { type: 'date' },
      'type: there is no type "date"; expected one of "string", "number", "integer", "boolean", "array", "object", "null"',
    ],
    [{ type: 7 }, 'type: expected one of "string", "number", "integer", "boolean", "array", "object", "null"'],
    [{ type: [] }, 'type: must have at least one entry'],
    [{ allOf: [{ format: 'emial' }] }, 'allOf/0/format: there is no format "emial"; did you mean "email"?'],
    [
      { pattern: 'a(?=b)' },
      'pattern: this pattern cannot be used: invalid or unsupported Perl syntax: `(?=` (it runs on RE2, without look-around and back-references)',
    ],
    [
      { patternProperties: { '(': {} } },
      'patternProperties/(: this pattern cannot be used: missing closing ): `(` (it runs on RE2, without look-around and back-references)',
    ],
    [{ items: { $ref: '#/$defs/group' } }, 'items/$ref: names nothing within this schema'],
    [{ $ref: 'https://schemas.example/group' }, '$ref: names nothing within this schema'],
    [
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      '$schema: expected "https://json-schema.org/draft/2020-12/schema", or nothing',
    ],
    [{ required: 'sub' }, 'required: expected a list of names, each once'],
    [{ required: ['a', 'a'] }, 'required: expected a list of names, each once'],
    [{ properties: { a: 'string' } }, 'properties: expected an object of JSON Schemas'],
    [{ properties: { a: { minLength: -1 } } }, 'properties/a/minLength: expected a whole number that is not negative'],
    [{ items: [{ type: 'string' }] }, 'items: expected a JSON Schema: { … }'],
    [{ multipleOf: 0 }, 'multipleOf: expected a number above 0'],
    [{ minimum: '3' }, 'minimum: expected a number'],
    [{ uniqueItems: 'yes' }, 'uniqueItems: expected true or false'],
    [{ dependentRequired: { a: 'b' } }, 'dependentRequired: expected an object of lists of names'],
    [{ anyOf: [] }, 'anyOf: expected a list of JSON Schemas'],
    [{ $defs: { a: 1 } }, '$defs: expected an object of JSON Schemas'],
    [{ $id: 'x' }, '$id: JSON Schema has no keyword "$id"'],
    [{ if: {} }, ': this JSON Schema cannot be used: strict mode: "if" without "then" and "else" is ignored'],
    [{ not: { enum: 'x' } }, 'not/enum: expected a list with at least one entry'],
  ]
  for (const [schema, message] of mistakes) it(`reports ${JSON.stringify(schema)}`, () => expect(mistake(schema)).to.equal(message))

  it('compiles equal schemas once', () => {
    expect(compiler.compile({ type: 'string' })).to.equal(compiler.compile({ type: 'string' }))
  })

  it('takes what the standard has', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'claims',
      $comment: 'of the partner',
      type: 'object',
      properties: {
        'https://example.com/tenant': true,
        a: { oneOf: [{ type: 'null' }, { type: 'string', examples: ['x'], default: 'y' }] },
      },
      unevaluatedProperties: false,
    }
    expect(mistake(schema)).to.equal('none')
  })
})
