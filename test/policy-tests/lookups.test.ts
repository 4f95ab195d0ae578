import { expect } from 'chai'
import type { GivenAnswers } from '../../src/policy-tests/cases.ts'
import { play } from '../../src/policy-tests/play.ts'
import type { Server } from '../../src/server.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { sampleFiles, sampleFolder } from '../support/sample.ts'
import { serverOf } from './sample-server.ts'

const text = { type: 'string' }

describe('lookups in a policy test', () => {
  let server: Server
  let remove: () => Promise<void>
  before(async () => {
    const files = await sampleFiles()
    const policy = files['policies/processor-policies/people.json'] as { processors: Array<{ attributes: object }> }
    const [mapping, ...mappings] = policy.processors
    const lookups = {
      person: { dataStore: 'directory', filter: '(mail={subject.email})', attributes: ['number', 'mail'] },
      floor: { dataStore: 'floors', where: { number: '{lookup.person.number}' }, attributes: ['floor'], ifMissing: 'empty' },
    }
    const groups = "has(lookup.floor.floor) ? [lookup.floor.floor] : ['nowhere']"
    const folder = await sampleFolder({
      'floors.csv': 'number,floor\n0042,third\n',
      'policies/data-stores/floors.json': {
        type: 'table',
        file: 'floors.csv',
        keys: ['number'],
        attributes: { number: text, floor: text },
      },
      'policies/data-stores/directory.json': {
        ...{ type: 'ldap', servers: ['ldaps://directory.invalid'], base: 'dc=example', bind: 'anonymous' },
        attributes: { number: text, mail: { type: ['string', 'null'] } },
      },
      'policies/processor-policies/people.json': {
        ...policy,
        processors: [{ ...mapping, lookups, attributes: { ...mapping?.attributes, subject: 'lookup.person.number', groups } }, ...mappings],
      },
    })
    remove = folder.remove
    server = await serverOf(folder.folder)
  })
  after(() => remove())

  async function played(lookups: GivenAnswers): Promise<string> {
    const place = { file: '', line: 1, column: 1, member: '' }
    const request = { grant_type: tokenExchange, subject_token_type: types.jwt, resource: 'http://localhost:3001/orders/' }
    const subject = { sub: 'alice', email: 'alice@example.com', email_verified: true, groups: [] }
    const common = {
      name: '',
      place,
      client: 'sample',
      clientIp: '127.0.0.1',
      now: undefined,
      actor: undefined,
      expect: { exactly: false },
    }
    const outcome = await play({ ...common, request, subject, lookups }, server)
    if (outcome.is === 'failed') return outcome.why
    if (outcome.is === 'judged') return 'a status, which nobody asked for'
    return outcome.is === 'refused' ? outcome.refusal.reason : JSON.stringify(outcome.attributes)
  }

  it('find what the case says; tables are read', async () => {
    expect(await played({ person: { number: '0042' } }))
      .to.include('"sub":"0042"')
      .and.include('["third"]')
    expect(await played({ person: { number: '0001' } })).to.include('["nowhere"]')
    expect(await played({ person: { number: '0042' }, floor: { floor: 'cellar' } })).to.include('["cellar"]')
  })

  it('find nothing, or too much', async () => {
    expect(await played({ person: null })).to.equal('lookup-found-nothing')
    expect(await played({ person: [{ number: '1' }, { number: '2' }] })).to.equal('lookup-found-several')
  })

  it('are asked of nobody: whoever says nothing is told what to write', async () => {
    expect(await played({})).to.include(
      'the lookup "person" would ask the data store "directory", and a test asks nobody: write "lookups": { "person": { "number": …, "mail": … } }',
    )
  })

  it('cannot find what no such lookup finds', async () => {
    expect(await played({ person: { nubmer: '1' } })).to.equal('the lookup "person" does not fetch "nubmer"; did you mean "number"?')
    expect(await played({ person: { number: 42 } }))
      .to.include('the lookup "person" cannot find this: ')
      .and.include('number must be string')
    expect(await played({ preson: { number: '1' } })).to.equal('the policy "people" has no lookup "preson"; did you mean "person"?')
  })
})
