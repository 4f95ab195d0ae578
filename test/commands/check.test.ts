import { expect } from 'chai'
import { environment, replaced, wholeConfiguration, writeFolder } from '../config/configuration.ts'
import { cambist, patience } from './run.ts'

describe('cambist check', function () {
  this.timeout(patience)

  let whole: Record<string, string>
  before(async () => {
    whole = await wholeConfiguration()
  })

  async function check(files: Record<string, string | undefined>, ...args: string[]) {
    const { folder, remove } = writeFolder(files)
    try {
      return await cambist(['check', '--config', folder, ...args], { env: environment })
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

  /** A configuration that names one other server, at an address where nobody listens. */
  const lonely = () => ({
    ...whole,
    'policies/token-processors/agents.json': JSON.stringify({
      type: 'jwt',
      issuers: [{ issuer: 'https://agents.example', jwksUri: 'http://127.0.0.1:1/jwks', allowPrivateNetwork: true }],
    }),
    'policies/token-processors/builds.json': undefined,
    'policies/token-processors/partner.json': undefined,
    'clients/assertion.json': undefined,
    'keys/mail.json': undefined,
  })
  const refused =
    'policies/token-processors/agents.json:1:61 issuers[0].jwksUri: the keys of https://agents.example cannot be had: GET http://127.0.0.1:1/jwks: connect ECONNREFUSED 127.0.0.1:1'

  it('--online asks other servers too', async () => {
    const { code, complaints } = await check(lonely(), '--online')
    expect(code).to.equal(1)
    expect(complaints).to.match(/no problems, 1 warning, 0 of 1 other server answered as they should\n$/)
    expect(complaints.split('\n')[0]).to.equal(refused)
  })

  it('the later one of --online and --fast counts', async () => {
    expect((await check(lonely(), '--online', '--fast')).code).to.equal(0)
    expect((await check(lonely(), '--fast', '--online')).code).to.equal(1)
  })

  it('--strict takes warnings for problems', async () => {
    const { code, output, complaints } = await check(lonely(), '--strict')
    expect({ code, output }).to.deep.equal({ code: 1, output: '' })
    expect(complaints).to.match(
      /^policies\/token-processors\/agents\.json.* \[private-network\]\n.* 1 warning, which --strict does not allow\n$/,
    )
    expect((await check(whole, '--strict')).code).to.equal(0)
  })

  it('--json gives everything to a program', async () => {
    const { code, output, complaints } = await check(lonely(), '--json', '--online')
    expect({ code, complaints }).to.deep.equal({ code: 1, complaints: '' })
    const { ok, files, problems, warnings, answered } = JSON.parse(output)
    expect({ ok, files, answered }).to.deep.equal({ ok: false, files: 11, answered: [] })
    const [place, ...message] = refused.split(': ')
    expect(problems).to.deep.equal([
      { file: place?.split(':')[0], line: 1, column: 61, member: 'issuers[0].jwksUri', message: message.join(': ') },
    ])
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.include({ code: 'private-network', member: 'issuers[0].allowPrivateNetwork', line: 1 })
    const broken = await check({ ...whole, 'clients/post.json': '{' }, '--json')
    expect(broken.code).to.equal(1)
    expect(JSON.parse(broken.output).problems).to.deep.equal([
      { file: 'clients/post.json', line: 1, column: 2, member: '', message: 'a closing brace is missing' },
    ])
  })

  it('an address of Redis in the environment that is none is a problem, and one where nobody answers is one for --online', async () => {
    const redis = (url: string) => ({ ...whole, 'server.json': replaced(textOf('server.json'), '"embedded"', `"redis", "url": ${url}`) })
    const { code, complaints } = await check(redis('{ "env": "POST_SECRET" }'))
    expect(code).to.equal(1)
    expect(complaints).to.match(/^server\.json:4:31 store\.url: expected an address such as "redis:\/\/host:6379"/)
    expect((await check(redis('{ "env": "NOT_SET_ANYWHERE" }'))).complaints).to.match(
      /^server\.json:4:31 store\.url: the environment variable NOT_SET_ANYWHERE is not set\nOnly secrets and keys are not here.*\n1 problem/,
    )
    const both = { ...redis('{ "env": "NOT_SET_ANYWHERE" }'), 'clients/post.json': '{' }
    expect((await check(both)).complaints).to.match(
      /\nOf these, 1 problem will go with --without-secrets: .*\n2 problems; nothing can start/,
    )
    const nobody = await check(
      {
        ...lonely(),
        'policies/token-processors/agents.json': whole['policies/token-processors/people.json'],
        'server.json': redis('"redis://127.0.0.1:1"')['server.json'],
      },
      '--online',
    )
    expect(nobody.complaints).to.match(/^server\.json:4:3 store: the store cannot be had: /)
  })
})
