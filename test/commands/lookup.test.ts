import { expect } from 'chai'
import { lookup as command } from '../../src/commands/lookup.ts'
import type { TriedLookups } from '../../src/explain/try-lookups.ts'
import { UsageError } from '../../src/usage-error.ts'
import { sampleFiles, sampleFolder } from '../support/sample.ts'
import { cambist, patience } from './run.ts'

const text = { type: 'string' }

describe('cambist lookup', function () {
  this.timeout(patience)
  let folder: string
  let remove: () => Promise<void>
  before(async () => {
    const files = await sampleFiles()
    const policy = files['policies/processor-policies/people.json'] as { processors: object[] }
    const [mapping, ...mappings] = policy.processors
    const person = { dataStore: 'people', where: { mail: '{subject.email}' }, attributes: ['number'] }
    const connection = files['policies/idp-connections/sample-idp.json'] as object
    ;({ folder, remove } = await sampleFolder({
      'people.csv': 'mail,number\nalice@example.com,0042\n',
      'policies/data-stores/people.json': { type: 'table', file: 'people.csv', keys: ['mail'], attributes: { mail: text, number: text } },
      'policies/processor-policies/people.json': { ...policy, processors: [{ ...mapping, lookups: { person } }, ...mappings] },
      'policies/idp-connections/sample-idp.json': {
        ...connection,
        lookups: { person: { ...person, where: { mail: '{assertion.nameId.value}' } } },
      },
    }))
  })
  after(() => remove())

  const lookup = (...args: string[]) => cambist(['lookup', '--config', folder, ...args])

  it('shows what is asked and found, also for programs', async () => {
    const { code, output } = await lookup('people', '--subject', '{"email":"alice@example.com"}', '--json')
    const { made, refusal } = JSON.parse(output) as TriedLookups
    expect({ code, refusal }).to.deep.equal({ code: 0, refusal: undefined })
    expect(made[0]).to.include({ name: 'person', query: 'mail = "alice@example.com"', outcome: 'found' })
    expect(made[0]?.found).to.deep.equal([{ number: '0042' }])
  })

  it('those of an IdP connection', async () => {
    const { code, output } = await lookup('sample-idp', '--connection', '--assertion', '{"nameId":{"value":"alice@example.com"}}')
    expect(output).to.include('number: 0042')
    expect(code).to.equal(0)
  })

  it('says why an exchange would be refused, with the setting', async () => {
    const { code, output } = await lookup('people', '--subject', '{"email":"bob@example.com"}')
    expect(output).to.include('lookup.person: nothing found')
    expect(output).to.match(/refused: invalid_request \(lookup-found-nothing\), by policies\/processor-policies\/people\.json:\d+:\d+ /)
    expect(code).to.equal(1)
  })

  it('says what is called wrongly, and repeats no data', async () => {
    const wrong: Array<[args: string[], said: RegExp]> = [
      [[], /name a processor policy/],
      [['poeple'], /there is no processor policy "poeple"; did you mean "people"\?/],
      [['people', '--lookup', 'preson'], /there is no lookup "preson"; did you mean "person"\?/],
      [['people', 'processors[1]'], /there is no mapping with lookups "processors\[1\]"/],
      [['people', '--subject', 'alice@example.com'], /--subject takes a JSON object/],
    ]
    for (const [args, said] of wrong) {
      const mistake = await command.run(['--config', folder, ...args]).catch(error => error)
      expect(mistake).to.be.instanceOf(UsageError)
      expect(mistake.message)
        .to.match(said)
        .and.to.not.match(/: alice@/)
    }
  })
})
