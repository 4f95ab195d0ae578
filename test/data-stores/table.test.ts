import { expect } from 'chai'
import type { JsonObject } from '../../src/json.ts'
import { type Files, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { type World, withServer } from '../support/world.ts'
import { loadFolder } from './loading.ts'

const text = { type: 'string' }
const store = {
  type: 'table',
  file: 'people.csv',
  keys: ['mail'],
  attributes: {
    mail: text,
    number: { type: ['integer', 'null'] },
    active: { type: ['boolean', 'null'] },
    groups: { type: ['array', 'null'], items: text },
  },
}

describe('a table', () => {
  describe('says what is wrong in its file:', () => {
    for (const [what, content, problems] of [
      [
        'a line with too few cells',
        'mail,number\na@b.example,1\nc@d.example\n',
        ['people.csv:3:1 this line has one cell, and the first one 2 cells'],
      ],
      ['a line with too many cells', 'mail,number\na@b.example,1,2\n', ['people.csv:2:1 this line has 3 cells, and the first one 2 cells']],
      ['a column that is there twice', 'mail,number,mail\n', ['people.csv:1:13 the column "mail" stands here a second time']],
      [
        'a column that nobody knows',
        'mail,numbr\n',
        ['people.csv:1:6 "attributes" of the data store has no "numbr"; did you mean "number"?'],
      ],
      ['no number', 'mail,number\na@b.example,12a\n', ['people.csv:2:13 "number" is no integer']],
      ['a number with a fraction', 'mail,number\na@b.example,1.5\n', ['people.csv:2:13 number must be integer,null']],
      ['neither true nor false', 'mail,active\na@b.example,yes\n', ['people.csv:2:13 "active" is no boolean']],
      [
        'what must be there and is not',
        'mail,number\n,3\n',
        ['people.csv:2:1 mail is missing; where it may be, its type in the data store says so: ["string", "null"]'],
      ],
      ['a quote without an end', 'mail\n"a@b.example\n', ['people.csv:2:1 the quote that begins here has no end']],
      ['a quote in the middle', 'mail\na"b\n', ['people.csv:2:2 a quote stands within a cell; put the whole cell in quotes']],
      ['something behind a quote', 'mail\n"a"b\n', ['people.csv:2:4 expected a comma or the end of the line after the closing quote']],
    ] as const) {
      it(what, async () =>
        expect(await loadFolder({ 'people.csv': content, 'policies/data-stores/people.json': store })).to.deep.equal(problems),
      )
    }

    for (const [what, content, problems] of [
      ['no list', '{}', ['people.json:1:1 expected a list of objects: [ { … }, … ]']],
      ['no object', '[\n  1\n]', ['people.json:2:3 expected an object: { … }']],
      ['no JSON', '[\n  {"mail": }\n]', ['people.json:2:12 a value is expected here (is there a comma too many?)']],
      [
        'a member that nobody knows',
        '[{ "mail": "a", "nubmer": 1 }]',
        ['people.json:1:17 "attributes" of the data store has no "nubmer"; did you mean "number"?'],
      ],
      ['a value of another type', '[{ "mail": "a", "number": "1" }]', ['people.json:1:17 number must be integer,null']],
    ] as const) {
      it(`${what} (JSON)`, async () => {
        const found = await loadFolder({ 'people.json': content, 'policies/data-stores/people.json': { ...store, file: 'people.json' } })
        expect(found).to.deep.equal(problems)
      })
    }

    it('a file that is not there, and is never made up', async () => {
      const problems = ['policies/data-stores/people.json:3:3 file: there is no file people.csv in the configuration folder']
      expect(await loadFolder({ 'policies/data-stores/people.json': store })).to.deep.equal(problems)
    })

    it('keys that are no attributes', async () => {
      const problems = await loadFolder({ 'people.csv': 'mail\n', 'policies/data-stores/people.json': { ...store, keys: ['mial'] } })
      expect(problems).to.have.length(1)
      expect(problems[0]).to.match(/keys\[0\]: "attributes" has no "mial"; did you mean "mail"\?$/)
    })
  })

  it('reads what RFC 4180 allows: quotes, line breaks in cells, CR LF, a byte order mark, empty lines', () =>
    found(
      { 'people.csv': '\u{feff}mail,groups\r\n"a,""b""\r\nc@d.example",x;y\r\n\r\n"",\r\n'.replace('"",\r\n', '') },
      'a,"b"\r\nc@d.example',
      async world => {
        const { claims } = await world()
        expect(claims.groups).to.deep.equal(['x', 'y'])
      },
    ))

  it('has texts, numbers, truth values and lists; what is empty is absent', () =>
    found({ 'people.csv': 'mail,number,active,groups\nz@b.example,,,\na@b.example,7,true,x\n' }, 'a@b.example', async world => {
      const { claims } = await world()
      expect(claims.groups).to.deep.equal(['x', 'number 7', 'active'])
    }))

  it('tells upper from lower case, unless it is told not to', async () => {
    const files = { 'people.csv': 'mail,groups\nA@b.example,x\n' }
    await found(files, 'a@B.example', async world => {
      await world(/lookup-found-nothing/)
    })
    await found({ ...files, 'policies/data-stores/people.json': { ...store, caseSensitive: false } }, 'a@B.example', async world => {
      expect((await world()).claims.groups).to.include('x')
    })
  })

  it('takes no letter for another one that has the same lower case', async () => {
    const files = {
      'people.csv': 'mail,groups\nmark@b.example,x\n',
      'policies/data-stores/people.json': { ...store, caseSensitive: false },
    }
    await found(files, 'MARK@b.example', async world => {
      expect((await world()).claims.groups).to.include('x')
    })
    await found(files, 'mar\u212a@b.example', async world => {
      await world(/lookup-found-nothing/)
    })
  })
})

/** Runs a test with a policy that looks the e-mail address up. */
async function found(
  more: Files,
  email: string,
  run: (exchange: (refused?: RegExp) => Promise<{ claims: JsonObject }>) => Promise<void>,
): Promise<void> {
  const change = (files: Files) => {
    const policy = files['policies/processor-policies/people.json'] as { processors: object[] }
    const [mapping, ...mappings] = policy.processors
    const lookups = { person: { dataStore: 'people', where: { mail: '{subject.name}' }, attributes: ['number', 'active', 'groups'] } }
    const groups =
      "(has(lookup.person.groups) ? lookup.person.groups : []) + (has(lookup.person.number) ? ['number ' + string(int(lookup.person.number))] : []) + (has(lookup.person.active) && lookup.person.active ? ['active'] : [])"
    return patched(files, {
      'policies/data-stores/people.json': store,
      ...more,
      'policies/processor-policies/people.json': {
        processors: [
          {
            ...mapping,
            lookups,
            attributes: { subject: 'subject.sub', email: 'subject.email', groups },
            criteria: [{ require: 'has(subject.name)', otherwise: 'x' }],
          },
          ...mappings,
        ],
      },
    })
  }
  await withServer(change, async (world: World) => {
    const parameters = { subject_token: await world.person({ name: email }), subject_token_type: types.jwt }
    await run(async refused => {
      if (refused === undefined) return (await world.issued(parameters)) as unknown as { claims: JsonObject }
      await world.refused(parameters, 'invalid_request', refused)
      return { claims: {} }
    })
  })
}
