import { expect } from 'chai'
import { type Files, patched } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { expectError, serverFor } from '../support/world.ts'

const text = { type: 'string' }

/** A directory that is not there, and mappings of which one needs it, one can do without and one never asks. */
async function withDeadDirectory(files: Files): Promise<Files> {
  const port = await freePort()
  const policy = files['policies/processor-policies/people.json'] as { issues: Array<{ attributes: object }> }
  const [api, opaque, wide] = policy.issues
  const asked = { dataStore: 'directory', filter: '(uid={policy.subject})', attributes: ['number'] }
  const spare = { ...api?.attributes, groups: "has(lookup.person.number) ? [lookup.person.number] : ['nobody']" }
  return patched(files, {
    'policies/data-stores/directory.json': {
      ...{ type: 'ldap', servers: [`ldap://127.0.0.1:${port}`], base: 'dc=example', bind: 'anonymous', attributes: { number: text } },
      breaker: { failures: 3, pause: '1h' },
    },
    'policies/processor-policies/people.json': {
      issues: [
        { ...api, lookups: { person: asked }, attributes: { ...api?.attributes, sub: 'lookup.person.number' } },
        { ...opaque, lookups: { person: { ...asked, ifDown: 'empty' } }, attributes: spare },
        wide,
      ],
    },
  })
}

describe('a data store that is down', function () {
  this.timeout(60_000)
  const world = serverFor(withDeadDirectory)
  const lookups = () => world.lastRecord().lookups as Array<Record<string, unknown>>

  it('is 503 with Retry-After for whoever needs it, and not the fault of the caller', async () => {
    const answer = await world.exchange({ audience: 'api' })
    expectError(answer, 'temporarily_unavailable')
    expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 60)
    expect(answer.text).to.not.match(/directory|person|127\.0\.0\.1/)
    expect(lookups().map(({ name, outcome }) => [name, outcome])).to.deep.equal([['person', 'down']])
    expect(world.lastRecord()).to.include({ outcome: 'unavailable' })
    expect(world.lastRecord().refusal).to.include({ setting: 'policies/processor-policies/people.json issues[0].lookups.person.ifDown' })
  })

  it('is none for whoever can do without, and none for whoever does not ask', async () => {
    const { token } = await world.issued({ audience: 'billing' })
    expect(await world.introspect(token)).to.deep.include({ active: true, groups: ['nobody'] })
    expect(lookups().map(({ outcome }) => outcome)).to.deep.equal(['down'])
    await world.issued({ resource: 'https://api.example.com/wide/x' })
    expect(world.lastRecord()).to.not.have.property('lookups')
  })

  it('is left alone then; that shows, and makes nobody unready', async () => {
    for (let attempt = 0; attempt < 3; attempt++) await world.exchange({ audience: 'api' })
    const { status, json } = await world.server.request('GET', '/readyz')
    expect(status).to.equal(200)
    expect(json).to.deep.include({ status: 'ready', dataStores: { directory: 'down' } })
    const { text: numbers } = await world.server.request('GET', '/metrics')
    expect(numbers).to.include('cambist_data_store_state{store="directory"} 2')
    expect(numbers).to.match(/cambist_lookups_total\{store="directory",outcome="down",cached="false"\} \d/)
    expectError(await world.exchange({ audience: 'api' }), 'temporarily_unavailable')
    expect((world.lastRecord().refusal as { outage: string }).outage).to.match(/is not asked, since it has failed 3 times in a row/)
  })
})
