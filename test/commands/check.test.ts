import { expect } from 'chai'
import { environment, replaced, wholeConfiguration, writeFolder } from '../config/configuration.ts'
import { cambist, patience } from './run.ts'

describe('cambist check', function () {
  this.timeout(patience)

  let whole: Record<string, string>
  before(async () => {
    whole = await wholeConfiguration()
  })

  async function check(files: Record<string, string | undefined>) {
    const { folder, remove } = writeFolder(files)
    try {
      return await cambist(['check', '--config', folder], { env: environment })
    } finally {
      remove()
    }
  }
  const textOf = (file: string) => whole[file] ?? ''

  it('finds a configuration in order', async () => {
    const { code, output, complaints } = await check(whole)
    expect({ code, complaints }).to.deep.equal({ code: 0, complaints: '' })
    expect(output).to.match(/^15 files, version [0-9a-f]{16}: no problems\n$/)
  })

  it('names the version by what the files hold', async () => {
    const versions = [whole, { ...whole, 'README.md': 'not a part of it' }, { ...whole, 'keys/mail.json': `${whole['keys/mail.json']}\n` }]
    const [one, same, other] = await Promise.all(versions.map(async files => /version (\w+)/.exec((await check(files)).output)?.[1]))
    expect(same).to.equal(one)
    expect(other).not.to.equal(one)
  })

  it('prints warnings with their codes, and is content', async () => {
    const { code, output } = await check({ ...whole, 'server.json': replaced(textOf('server.json'), '"embedded"', '"memory"') })
    expect(code).to.equal(0)
    expect(output).to.match(
      /^warning: server\.json:4:14 store\.type: revocations .* \[memory-store\]\n15 files, .*: no problems, 1 warning\n$/,
    )
  })

  it('prints every problem, and nothing else but their number', async () => {
    const files = {
      ...whole,
      'keys/api.json': replaced(textOf('keys/api.json'), '"active"', '"aktive"'),
      'clients/basic.json': replaced(textOf('clients/basic.json'), '"poeple"'.replace('oe', 'eo'), '"poeple"'),
    }
    const { code, output, complaints } = await check(files)
    expect({ code, output }).to.deep.equal({ code: 1, output: '' })
    expect(complaints.split('\n')).to.deep.equal([
      'clients/basic.json:5:5 tokenExchange.processorPolicy: there is no policies/processor-policies/poeple.json; did you mean "people"?',
      'keys/api.json:3:3 status: expected one of "next", "active", "retired", found "aktive"; did you mean "active"?',
      '2 problems; nothing can start with this configuration',
      '',
    ])
  })

  it('says so where there is no configuration', async () => {
    const { code, complaints } = await cambist(['check', '--config', '/nowhere/at/all'])
    expect(code).to.equal(1)
    expect(complaints).to.equal(
      'server.json:1:1 this file is missing; every configuration starts with it\n1 problem; nothing can start with this configuration\n',
    )
  })

  it('tells a newcomer that the sample makes its keys when it starts', async () => {
    const sample = replaced(textOf('server.json'), '"workers": 1', '"sample": true')
    const { code, complaints } = await check({ ...whole, 'server.json': sample, 'secrets/api.pem': undefined })
    expect(code).to.equal(1)
    expect(complaints.split('\n').slice(0, 2)).to.deep.equal([
      'keys/api.json:4:3 privateKey: there is no file secrets/api.pem in the configuration folder',
      'This is the sample configuration: its first start makes the keys and secrets that are not there.',
    ])
  })
})
