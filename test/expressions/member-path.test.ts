import { expect } from 'chai'
import { ExpressionCompiler } from '../../src/expressions/compile.ts'
import type { Variables } from '../../src/expressions/expression.ts'
import type { JsonObject } from '../../src/json.ts'

/** Claims with everything that JSON has, and names that mean something to JavaScript. */
const claims = JSON.parse(`{
  "text": "alice", "empty": "", "zero": 0, "large": 1e300, "whole": 9007199254740993, "yes": true, "no": false, "nothing": null,
  "list": ["a", 1, null, {"b": []}], "object": {"inner": {"deep": "x"}, "nothing": null},
  "__proto__": {"text": "own"}, "toString": "own", "length": 3
}`) as JsonObject

const variables: Variables = { subject: claims, actor: null, policy: {}, act: null }

function outcome(source: string): unknown {
  const declared = { subject: undefined, actor: undefined, policy: undefined, act: undefined }
  const { expression } = new ExpressionCompiler().compile(source, 'here', declared, {})
  try {
    return { value: expression.evaluate(variables) }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

// An expression that only reads a member goes past the library. In brackets it does not.
describe('expressions/compile, members that are read directly', () => {
  const members = ['text', 'empty', 'zero', 'large', 'whole', 'yes', 'no', 'nothing', 'list', 'object', 'toString', 'length']
  const nested = [
    'object.inner',
    'object.inner.deep',
    'object.nothing',
    'object.absent',
    'object.inner.deep.er',
    'nothing.at.all',
    'list.length',
  ]
  const absent = ['absent', 'absent.too', 'constructor', 'hasOwnProperty', 'constructor.name', 'valueOf']
  for (const path of [...members, ...nested, ...absent].map(name => `subject.${name}`)) {
    it(`gives for ${path} what the library gives`, () => {
      expect(outcome(path)).to.deep.equal(outcome(`(${path})`))
    })
  }

  for (const path of ['actor.sub', 'act.sub', 'policy.subject']) {
    it(`fails for ${path}, which is not there, as the library does`, () => {
      expect(outcome(path))
        .to.deep.equal(outcome(`(${path})`))
        .and.to.have.property('error')
    })
  }

  it('reads an own member whose name is that of the prototype, and never the prototype', () => {
    expect(outcome('subject.__proto__.text')).to.deep.equal({ value: 'own' })
    expect(outcome('policy.__proto__')).to.have.property('error')
  })
})
