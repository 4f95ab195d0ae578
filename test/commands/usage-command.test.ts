import { expect } from 'chai'
import { replaced, type Texts, writeFolder } from '../config/configuration.ts'
import { samlConfiguration } from '../config/saml-configuration.ts'
import { cambist, patience } from './run.ts'

describe('cambist usage', function () {
  this.timeout(patience)

  let whole: Record<string, string>
  before(async () => {
    whole = await samlConfiguration()
  })

  async function usage(files: Texts, ...args: string[]) {
    const { folder, remove } = writeFolder(files)
    try {
      return await cambist(['usage', ...args, '--config', folder])
    } finally {
      remove()
    }
  }

  it('tells who uses a generator, up to the clients', async () => {
    expect(await usage(whole, 'token-generators/ledger11')).to.deep.equal({
      code: 0,
      complaints: '',
      output: [
        'policies/token-generators/ledger11.json is used by',
        '  policies/generator-groups/ledger.json:6:5 generators["urn:ietf:params:oauth:token-type:saml1"]',
        '    clients/saml.json:6:25 tokenExchange.generatorGroups[0]',
        '    clients/saml.json:7:18 tokenExchange.default.generatorGroup',
        '    server.json:7:5 defaults.generatorGroup',
        '      clients/basic.json:3:3 tokenExchange (names no generatorGroup of its own)',
        '  policies/processor-policies/people.json:47:7 issues[2].tokenGenerator',
        '    clients/basic.json:5:5 tokenExchange.processorPolicy',
        '    clients/saml.json:5:5 tokenExchange.processorPolicy',
        '    server.json:6:17 defaults.processorPolicy',
        '2 clients: basic, saml',
        '',
      ].join('\n'),
    })
  })

  it('tells the same as JSON', async () => {
    const { code, output } = await usage(whole, 'keys/mail', '--json')
    expect(code).to.equal(0)
    expect(JSON.parse(output)).to.deep.include({ name: 'keys/mail', exists: true, clients: ['basic', 'saml'] })
    expect(JSON.parse(output).users[0]).to.deep.include({
      user: 'token-processors/agents',
      file: 'policies/token-processors/agents.json',
      line: 4,
      column: 22,
      member: 'decryptionKeys[0]',
    })
  })

  it('asks back where a name means several things, and suggests what is near', async () => {
    expect(await usage(whole, 'people')).to.deep.equal({
      code: 1,
      output: '',
      complaints: '"people" may be "processor-policies/people" or "token-processors/people": say which\n',
    })
    expect((await usage(whole, 'token-generators/legder')).complaints).to.equal(
      'there is no token-generators/legder; did you mean "token-generators/ledger"?\n',
    )
  })

  it('names those who still name what was removed', async () => {
    const { code, output } = await usage({ ...whole, 'policies/token-generators/ledger11.json': undefined }, 'token-generators/ledger11')
    expect(code).to.equal(1)
    expect(output).to.match(
      /^token-generators\/ledger11 is not there, and is named all the same\n.* is used by\n {2}policies\/generator-groups/,
    )
  })

  it('lists what nothing uses, and what only that uses', async () => {
    const policy = replaced(whole['policies/processor-policies/people.json'] ?? '', '"optional"', '"refused"')
    const files = {
      ...whole,
      'policies/processor-policies/old.json': policy.replaceAll('"people"', '"older"'),
      'policies/token-processors/older.json': whole['policies/token-processors/people.json'],
    }
    const { code, output } = await usage(files, '--unused')
    expect(code).to.equal(1)
    expect(output.trim().split('\n')).to.have.members([
      'policies/processor-policies/old.json',
      'policies/token-processors/builds.json',
      'policies/token-processors/older.json: used only by policies/processor-policies/old.json:11:7 processors[0].subjectTokenProcessor and policies/processor-policies/old.json:21:7 processors[1].subjectTokenProcessor, which nothing uses',
      'policies/token-processors/partner-saml.json',
      'policies/token-processors/partner-saml11.json',
      'policies/token-processors/partner.json',
      'keys/decrypting.json: used only by policies/token-processors/partner-saml.json:10:22 decryptionKeys[0], which nothing uses',
      'scope:orders.write',
      '8 things that nothing uses',
    ])
  })

  it('answers for a configuration with problems, and says which files it could not take part of', async () => {
    const files = {
      ...whole,
      'clients/basic.json': replaced(whole['clients/basic.json'] ?? '', '"introspection"', '"introspektion"'),
      'clients/post.json': '{',
    }
    const { code, output, complaints } = await usage(files, 'access-token-managers/billing', '--json')
    expect(code).to.equal(0)
    expect(complaints.split('\n').map(line => line.split(' ')[0])).to.deep.equal(['clients/basic.json', 'clients/post.json', ''])
    const users = (JSON.parse(output) as { users: Array<{ file: string; line: number; note?: string }> }).users
    expect(users.filter(({ file }) => file === 'clients/basic.json').map(({ line, note }) => [line, note])).to.deep.equal([
      [6, 'perhaps: this file has problems'],
      [7, 'perhaps: this file has problems'],
    ])
  })
})
