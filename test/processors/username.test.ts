import { expect } from 'chai'
import { problemsOf, type Texts, wholeConfiguration } from '../config/configuration.ts'

const processor = 'policies/token-processors/staff.json'
const text = { type: 'string' }
const store = {
  type: 'ldap',
  servers: ['ldaps://ldap.example.com'],
  bindDn: 'cn=cambist,dc=example,dc=com',
  password: { file: 'secrets/basic' },
  base: 'dc=example,dc=com',
  attributes: { uid: text, mail: text, age: { type: 'integer' } },
}
const usual = { type: 'username', issuer: 'urn:staff', dataStore: 'directory', filter: '(uid={username})' }

describe('username processor with a directory', () => {
  let files: Texts
  before(async () => {
    files = {
      ...(await wholeConfiguration()),
      'policies/data-stores/directory.json': JSON.stringify(store),
      'policies/data-stores/others.json': JSON.stringify({ type: 'table', file: 'others.csv', attributes: { uid: text }, keys: ['uid'] }),
      'others.csv': 'uid\nalice\n',
    }
  })
  const problems = async (more: object) =>
    (await problemsOf({ ...files, [processor]: JSON.stringify({ ...usual, ...more }) })).map(line => line.replace(/:\d+:\d+ /, ' '))

  const fine: readonly object[] = [
    {},
    { filter: '(&(objectClass=person)(uid={ username }))' },
    { filter: '(|(uid={username})(mail={username}))', nameAttribute: 'uid' },
    { attributes: ['mail'], timeout: '3s' },
  ]
  for (const more of fine) {
    it(`takes ${JSON.stringify(more)}`, async () => expect(await problems(more)).to.deep.equal([]))
  }

  const users = { alice: { passwords: [{ hash: 'sha256$47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' }] } }
  const mistakes: ReadonlyArray<readonly [string, object, string]> = [
    ['users as well', { users }, 'expected exactly one of "users" and "dataStore"'],
    ['no users', { dataStore: undefined }, 'expected exactly one of "users" and "dataStore"'],
    ['a filter for listed users', { users, dataStore: undefined }, 'filter: is for a "dataStore", and the users stand in "users"'],
    ['a store that is not there', { dataStore: 'directori' }, 'did you mean "directory"?'],
    ['a store that takes no passwords', { dataStore: 'others' }, 'dataStore: "others" is of type "table"; people log on to "ldap" only'],
    ['no filter', { filter: undefined }, 'dataStore: needs a "filter" that finds the user'],
    ['a filter that everybody meets', { filter: '(objectClass=person)', nameAttribute: 'uid' }, 'filter: has to look for the {username}'],
    ['a value that nobody knows', { filter: '(uid={subject.sub})', nameAttribute: 'uid' }, 'nothing but {username} is known here'],
    ['a filter that is none', { filter: '(uid={username}', nameAttribute: 'uid' }, '")" was expected'],
    ['a brace too many', { filter: '(uid={username}})', nameAttribute: 'uid' }, 'this "}" has no "{"'],
    ['two names', { filter: '(|(uid={username})(mail={username}))' }, 'filter: does not tell what the user is called'],
    ['a name that the store does not have', { nameAttribute: 'uit' }, 'has no attribute "uit"; did you mean "uid"?'],
    ['a name that is a number', { nameAttribute: 'age' }, 'nameAttribute: the data store declares "age" to be no text'],
    [
      'an attribute that the store does not have',
      { attributes: ['mial'] },
      'attributes[0]: the data store "directory" has no attribute "mial"',
    ],
  ]
  for (const [what, more, expected] of mistakes) {
    it(`does not take ${what}`, async () => {
      const [first, ...others] = await problems(more)
      expect(first).to.include(processor).and.to.include(expected)
      expect(others).to.deep.equal([])
    })
  }
})
