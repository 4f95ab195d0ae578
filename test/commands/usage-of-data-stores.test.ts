import { expect } from 'chai'
import { writeFolder } from '../config/configuration.ts'
import { sampleFiles } from '../support/sample.ts'
import { cambist, patience } from './run.ts'

const store = 'policies/data-stores/directory.json'
const policy = 'policies/processor-policies/people.json'
const connection = 'policies/idp-connections/sample-idp.json'
const users = 'policies/token-processors/users.json'

/** Every way to use a data store, in the order in which they are listed. */
const uses = [
  `${connection} generators[0].lookups.person.dataStore`,
  `${connection} lookups.person.dataStore`,
  `${policy} issues[0].lookups.person.dataStore`,
  `${policy} processors[0].lookups.person.dataStore`,
  `${users} dataStore`,
]

interface Mapping {
  readonly [member: string]: unknown
}

describe('the usage of a data store', function () {
  this.timeout(patience)
  let files: Record<string, string>
  before(async () => {
    const sample = await sampleFiles()
    const text = { type: 'string' }
    const person = (value: string) => ({
      lookups: { person: { dataStore: 'directory', filter: `(mail={${value}})`, attributes: ['number'] } },
    })
    const first = (mappings: readonly Mapping[] = [], value: string) =>
      mappings.map((mapping, index) => (index === 0 ? { ...mapping, ...person(value) } : mapping))
    const people = sample[policy] as { processors: Mapping[]; issues: Mapping[] }
    const partner = sample[connection] as { generators: Mapping[] }
    const all = {
      ...sample,
      [store]: {
        ...{ type: 'ldap', servers: ['ldaps://directory.invalid'], base: 'dc=example', bind: 'anonymous' },
        attributes: { number: text, uid: text },
      },
      [policy]: {
        ...people,
        processors: first(people.processors, 'subject.email'),
        issues: first(people.issues, 'policy.email'),
      },
      [connection]: {
        ...partner,
        ...person('assertion.nameId.value'),
        generators: first(partner.generators, 'policy.TOKEN_SUBJECT'),
      },
      [users]: { type: 'username', issuer: 'urn:users', dataStore: 'directory', filter: '(uid={username})' },
    }
    files = Object.fromEntries(Object.entries(all).map(([file, content]) => [file, JSON.stringify(content, null, 2)]))
  })

  async function said(changes: Record<string, string | undefined>, ...args: string[]) {
    const { folder, remove } = writeFolder({ ...files, ...changes })
    try {
      return await cambist([...args, '--config', folder])
    } finally {
      remove()
    }
  }

  it('names every mapping, connection and processor that asks it, and who uses those', async () => {
    expect((await said({}, 'check', '--without-secrets')).complaints).to.equal('')
    const { code, output } = await said({}, 'usage', 'data-stores/directory')
    expect(code).to.equal(0)
    const named = output.replace(/:\d+:\d+ /g, ' ')
    for (const use of uses) expect(named).to.include(use)
    expect(named).to.include('clients/sample.json wsTrust.connections[0]')
  })

  it('is what check names where a data store is taken away', async () => {
    const { code, complaints } = await said({ [store]: undefined }, 'check', '--without-secrets')
    expect(code).to.equal(1)
    const missing = complaints.split('\n').filter(line => line.endsWith(`: there is no ${store}`))
    expect(missing.map(line => line.replace(/:\d+:\d+ /, ' ').replace(/: there.*/, ''))).to.have.members(uses)
  })

  it('is nothing where nobody asks it', async () => {
    const { output } = await said({ 'policies/data-stores/spare.json': files[store] }, 'usage', '--unused')
    expect(output).to.include('policies/data-stores/spare.json').and.to.not.include(store)
  })
})
