import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { replaced, writeFolder } from '../config/configuration.ts'
import { sampleFiles } from '../support/sample.ts'
import { cambist, type Ended, patience } from './run.ts'

const people = 'policies/tests/people.json'

describe('cambist test', function () {
  this.timeout(patience)

  // A checkout in Git: no key and no secret is there.
  let sample: Record<string, string>
  let folder: string
  let remove: () => void
  before(async () => {
    sample = Object.fromEntries(Object.entries(await sampleFiles()).map(([file, value]) => [file, JSON.stringify(value, null, 2)]))
    ;({ folder, remove } = writeFolder(sample))
  })
  after(() => remove())

  async function test(changes: Record<string, string | undefined>, ...args: string[]): Promise<Ended> {
    const changed = writeFolder({ ...sample, ...changes })
    try {
      return await cambist(['test', '--config', changed.folder, ...args])
    } finally {
      changed.remove()
    }
  }

  it('plays every case of the sample, on a checkout without keys and secrets', async () => {
    const { code, output, complaints } = await cambist(['test', '--config', folder])
    expect({ code, complaints }).to.deep.equal({ code: 0, complaints: '' })
    const lines = output.trim().split('\n')
    expect(lines.filter(line => line.startsWith('policies/'))).to.deep.equal(
      ['chain', 'ledger', 'people', 'trust'].map(name => `policies/tests/${name}.json`),
    )
    expect(lines.at(-2)).to.match(/^28 cases, all as expected \(\d+ ms\)$/)
    expect(lines.at(-1)).to.match(/^stand-ins for what is not here: keys\/api\.pem, keys\/orders-client\.secret, /)
    expect((await cambist(['check', '--without-secrets', '--config', folder])).output).to.match(
      /^19 files, version [0-9a-f]{16}: no problems, 4 files of policy tests, 12 stand-ins for secrets and keys that are not here\n$/m,
    )
  })

  it('finds what a change of a policy does, and where it was decided', async () => {
    const policy = 'policies/processor-policies/people.json'
    const changed = (sample[policy] ?? '').replaceAll('subject.email_verified', 'true')
    const { code, output } = await test({ [policy]: changed }, people, '--filter', 'VERIFIED')
    expect(code).to.equal(1)
    expect(output.split('\n').slice(0, 6)).to.deep.equal([
      people,
      '  ✗ who has not verified the e-mail address is refused',
      output.split('\n')[2],
      '      the answer',
      '        expected  "refused: invalid_request"',
      '        actual    "a token (urn:ietf:params:oauth:token-type:access_token)"',
    ])
    expect(output)
      .to.match(/people\.json:\d+:5\n/)
      .and.to.include('2 cases, 2 not as expected')
    const target = 'policies/access-token-managers/orders.json'
    const refusing = await test(
      { [target]: replaced(sample[target] ?? '', '"type": "jwt",', '"type": "jwt", "clients": ["orders"],') },
      'people',
    )
    expect(refusing.output).to.include('decided by policies/access-token-managers/orders.json:4:18 clients\n')
  })

  it('writes JUnit and JSON', async () => {
    const file = join(folder, 'results.xml')
    const { code, output } = await cambist(['test', '--config', folder, '--json', '--junit', file, 'chain'])
    expect(code).to.equal(0)
    const { ok, cases, failed, files, standIns } = JSON.parse(output)
    expect({ ok, cases, failed }).to.deep.equal({ ok: true, cases: 3, failed: 0 })
    expect(files[0].cases[0]).to.deep.include({ name: 'the orders API gets a token for billing of one that it received', differences: [] })
    expect(standIns).to.include('keys/api.pem')
    expect(readFileSync(file, 'utf8')).to.include('<testsuite name="policies/tests/chain.json" tests="3" failures="0"')
    rmSync(file)
  })

  it('reports mistakes in the configuration and in the tests as check does, and plays nothing', async () => {
    const tests = replaced(sample[people] ?? '', '"client": "sample"', '"client": "sampel"').replace(
      '"processorPolicy"',
      '"processorPolizy"',
    )
    const client = (sample['clients/orders.json'] ?? '').replace('"introspection"', '"introspektion"')
    const lines = [
      'clients/orders.json:22:3 introspektion: unknown member "introspektion"; did you mean "introspection"?',
      /^policies\/tests\/people\.json:\d+:9 cases\[0\]\.expect\.processorPolizy: unknown member "processorPolizy"; did you mean "processorPolicy"\?$/,
    ]
    const { code, output, complaints } = await test({ [people]: tests, 'clients/orders.json': client })
    expect({ code, output }).to.deep.equal({ code: 1, output: '' })
    expect(complaints.split('\n')[0]).to.equal(lines[0])
    expect(complaints.split('\n')[1]).to.match(lines[1] as RegExp)
    expect(complaints.split('\n').slice(2)).to.deep.equal(['2 problems; nothing was tested', ''])
  })

  it('is told of a client that is not there, by check too', async () => {
    const changes = { [people]: replaced(sample[people] ?? '', '"client": "sample"', '"client": "sampel"') }
    const line = `${people}:5:5 defaults.client: there is no clients/sampel.json; did you mean "sample"?`
    expect((await test(changes)).complaints).to.equal(`${line}\n1 problem; nothing was tested\n`)
    const changed = writeFolder({ ...sample, ...changes })
    const checked = await cambist(['check', '--without-secrets', '--config', changed.folder])
    changed.remove()
    expect(checked).to.deep.equal({
      code: 1,
      output: '',
      complaints: `${line}\n1 problem in the policy tests, which "cambist test" cannot play\n`,
    })
  })

  it('says which codes and reasons there are', async () => {
    const misspelt = async (found: string, written: string) =>
      (await test({ [people]: replaced(sample[people] ?? '', found, written) })).complaints.split('\n')[0]
    expect(await misspelt('"error": "invalid_scope"', '"error": "invalid_scop"')).to.match(
      /error: expected one of .*; did you mean "invalid_scope"\?$/,
    )
    const ledger = 'policies/tests/ledger.json'
    const changed = replaced(sample[ledger] ?? '', '"reason": "delegation-refused"', '"reason": "delegation-refuse"')
    expect((await test({ [ledger]: changed })).complaints.split('\n')[0]).to.match(
      /reason: expected one of .*; did you mean "delegation-refused"\?$/,
    )
  })

  it('does not pass for a success when there was nothing to play', async () => {
    const without = Object.fromEntries(['people', 'ledger', 'chain', 'trust'].map(name => [`policies/tests/${name}.json`, undefined]))
    expect(await test(without)).to.deep.equal({
      code: 1,
      output: '',
      complaints: 'there are no policy tests: policies/tests/ has no file\n',
    })
    expect((await test({}, '--filter', 'nothing of this name')).complaints).to.equal(
      'no case has a name with "nothing of this name" in it\n',
    )
    expect((await test({}, 'peple')).complaints).to.equal('there are no policy tests called peple; did you mean "people"?\n')
    expect((await test({}, '--fliter', 'x')).code).to.equal(2)
  })

  it('changes nothing of the version, and the server does not read it', async () => {
    const version = async (changes: Record<string, string>) => {
      const changed = writeFolder({ ...sample, ...changes })
      const { output } = await cambist(['check', '--without-secrets', '--json', '--config', changed.folder])
      changed.remove()
      return JSON.parse(output).version as string
    }
    expect(await version({ [people]: '{ "cases": ' })).to.equal(await version({}))
  })
})
