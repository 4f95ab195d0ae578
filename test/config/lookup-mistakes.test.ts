import { expect } from 'chai'
import { loadFolder } from '../data-stores/loading.ts'

const text = { type: 'string' }

/** What is said of a policy whose mapping has this lookup, and these expressions. */
async function said(
  person: object,
  { attributes = {}, store = {}, more = {} }: { attributes?: object; store?: object; more?: object } = {},
) {
  const policy = {
    actorToken: 'refused',
    contract: { subject: text },
    processors: [
      {
        subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
        subjectTokenProcessor: 'people',
        lookups: { person: { dataStore: 'hr', where: { mail: '{subject.email}' }, attributes: ['number'], ...person }, ...more },
        attributes: { subject: 'lookup.person.number', ...attributes },
      },
    ],
    issues: [{ accessTokenManager: 'api', attributes: { sub: 'policy.subject', email: "'a@example.com'", groups: '[]' } }],
  }
  const lines = await loadFolder({
    'hr.csv': 'mail,number,floor\na@example.com,1,\n',
    'policies/data-stores/hr.json': {
      ...{ type: 'table', file: 'hr.csv', keys: ['mail'], ...store },
      attributes: { mail: text, number: text, floor: { type: ['integer', 'null'] } },
    },
    'policies/processor-policies/staff.json': policy,
  })
  return lines.map(line => line.replace('policies/processor-policies/staff.json:', '').replace(/^\d+:\d+ processors\[0\]\./, ''))
}

describe('mistakes in lookups', () => {
  const cases: Record<string, [lookup: object, line: string, more?: Parameters<typeof said>[1]]> = {
    'a data store that is not there': [
      { dataStore: 'hrr' },
      'lookups.person.dataStore: there is no policies/data-stores/hrr.json; did you mean "hr"?',
    ],
    'an attribute that the data store does not have': [
      { attributes: ['nubmer'] },
      'lookups.person.attributes[0]: the data store "hr" has no attribute "nubmer"; did you mean "number"?',
    ],
    'no attributes': [{ attributes: [] }, 'lookups.person.attributes: must have at least one entry'],
    'a member that is misspelt': [{ ifMising: 'empty' }, 'lookups.person.ifMising: unknown member "ifMising"; did you mean "ifMissing"?'],
    'a member of another type of data store': [{ filter: '(a=b)' }, 'lookups.person.filter: unknown member "filter"'],
    'no query': [{ where: undefined }, 'lookups.person.where: is missing (expected an object)'],
    'a query by nothing that is a key': [
      { where: { number: '{subject.sub}' } },
      'lookups.person.where: names none of the "keys" of the data store: mail',
    ],
    'a column that is not there': [
      { where: { mail: '{subject.email}', flor: '1' } },
      'lookups.person.where.flor: the data store has no attribute "flor"; did you mean "floor"?',
    ],
    'a value of another type than the column': [
      { where: { mail: '{subject.email}', floor: '{subject.email}' } },
      'lookups.person.where.floor: this gives a string, but an integer or null is needed',
    ],
    'a list in the place of a value': [
      { where: { mail: '{subject.groups}' } },
      'lookups.person.where.mail: this gives a list of strings, but a string or null is needed',
    ],
    'a claim that is not there': [
      { where: { mail: 'x-{subject.emial}' } },
      'lookups.person.where.mail: subject has no "emial"; did you mean "email"?',
    ],
    'a later lookup': [
      { where: { mail: '{lookup.later.number}' } },
      'lookups.person.where.mail: there is no variable "lookup"; here you may read subject, context',
      { more: { later: { dataStore: 'hr', where: { mail: '{subject.email}' }, attributes: ['number'] } } },
    ],
    'a timeout that is too long': [{ timeout: '2m' }, 'lookups.person.timeout: must be between "1s" and "60s"'],
    'a cache without a time': [{ cache: {} }, 'lookups.person.cache.ttl: is missing (expected a duration such as "30s", "5m" or "1h")'],
    'a word that many does not know': [{ many: 'all' }, 'lookups.person.many: expected one of "first", "list", "refuse", found "all"'],
    'an attribute that was not asked for': [
      {},
      'attributes.subject: lookup.person has no "floor"',
      { attributes: { subject: "lookup.person.floor > 1.0 ? 'high' : 'low'" } },
    ],
    'a list that is read as one entry': [{ many: 'list' }, 'attributes.subject: ', {}],
    'a setting of remote data stores': [{}, 'policies/data-stores/hr.json', { store: { breaker: { failures: 1 } } }],
  }
  for (const [what, [lookup, line, more]] of Object.entries(cases)) {
    it(what, async () => {
      const lines = await said(lookup, more)
      expect(lines.length, lines.join('\n')).to.equal(1)
      expect(lines[0]).to.include(line)
    })
  }

  it('a name that expressions cannot read', async () => {
    const another = { dataStore: 'hr', where: { mail: '{subject.email}' }, attributes: ['number'] }
    for (const name of ['cost-centre', '1st', 'in']) {
      const [line, ...others] = await said({}, { more: { [name]: another } })
      expect(others).to.deep.equal([])
      expect(line).to.match(/expected a name of letters, digits and _, as expressions write it$/)
    }
  })

  it('point at the character within the query', async () => {
    const [line] = await loadFolder({
      'hr.csv': 'mail\n',
      'policies/data-stores/hr.json': { type: 'table', file: 'hr.csv', keys: ['mail'], attributes: { mail: text } },
      'policies/processor-policies/staff.json': `{
  "actorToken": "refused", "contract": { "subject": { "type": "string" } },
  "processors": [{
    "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt", "subjectTokenProcessor": "people",
    "lookups": { "person": { "dataStore": "hr", "attributes": ["mail"], "where": {
      "mail": "x{subject.sub}-{subject.emial}" } } },
    "attributes": { "subject": "lookup.person.mail" }
  }],
  "issues": [{ "accessTokenManager": "api", "attributes": { "sub": "policy.subject", "email": "'a@example.com'", "groups": "[]" } }]
}`,
    })
    // The name begins 25 characters behind the quote in column 15.
    expect(line).to.match(
      /^policies\/processor-policies\/staff\.json:6:\d+ processors\[0\]\.lookups\.person\.where\.mail: subject has no "emial"/,
    )
    const column = Number(line?.split(':')[2]?.split(' ')[0])
    expect('      "mail": "x{subject.sub}-{subject.emial}" } } },'.slice(column - 1)).to.match(/^(subject)?\.?emial/)
  })
})
