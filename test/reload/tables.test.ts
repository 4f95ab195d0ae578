import { expect } from 'chai'
import { until } from '../stores/until.ts'
import { ChangingServer } from './changing-server.ts'

const text = { type: 'string' }

describe('a table that changes', function () {
  this.timeout(120_000)
  let server: ChangingServer
  before(async () => {
    const attributes = { subject: 'lookup.person.number', email: 'subject.email', groups: '[]' }
    const person = { dataStore: 'people', where: { sub: '{subject.sub}' }, attributes: ['number'], cache: { ttl: '1h' } }
    const mapping = { subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt', subjectTokenProcessor: 'people' }
    server = await ChangingServer.start({
      'people.csv': 'sub,number\nalice,0042\n',
      'policies/data-stores/people.json': { type: 'table', file: 'people.csv', keys: ['sub'], attributes: { sub: text, number: text } },
      'policies/processor-policies/people.json': { processors: [{ ...mapping, lookups: { person }, attributes }] },
    })
  })
  after(() => server.end())

  const subject = async () => (await server.issued()).sub
  const version = async () => (await server.ready()).json.version

  it('is read anew, remembered answers and all, and is another version', async () => {
    const before = await version()
    expect(await subject()).to.equal('0042')
    await server.write('people.csv', 'sub,number\nalice,0099\n')
    await until('the new table serves', async () => (await version()) !== before)
    expect(await subject()).to.equal('0099')
  })

  it('with a mistake in it is not: the last good one serves on', async () => {
    await server.write('people.csv', 'sub,number\nalice\n')
    await until('the mistake is known', async () => 'reload' in (await server.ready()).json)
    expect(await subject()).to.equal('0099')
    await server.process.printed('people.csv:2:1 this line has one cell')
    await server.write('people.csv', 'sub,number\nalice,0100\n')
    await until('the mended table serves', async () => !('reload' in (await server.ready()).json))
    expect(await subject()).to.equal('0100')
  })
})
