import { expect } from 'chai'
import { itemNamed } from '../../src/config/item-name.ts'
import { parseFiles } from '../../src/config/parse.ts'
import { readSources } from '../../src/config/read.ts'
import { itemsOf, unusedOf } from '../../src/config/unused.ts'
import { type UseTree, usersOf } from '../../src/config/usage-tree.ts'
import { usesIn } from '../../src/config/uses.ts'
import { replaced, type Texts, writeFolder } from './configuration.ts'
import { samlConfiguration } from './saml-configuration.ts'

const api = 'policies/access-token-managers/api.json'
const policy = 'policies/processor-policies/people.json'

describe('uses', () => {
  let whole: Record<string, string>
  before(async () => {
    whole = await samlConfiguration()
  })

  async function read(files: Texts) {
    const { folder, remove } = writeFolder(files)
    try {
      const sources = await readSources(folder)
      const { parsed } = await parseFiles(sources)
      return { items: itemsOf(parsed, sources.files), uses: usesIn(parsed, sources.files) }
    } finally {
      remove()
    }
  }

  const direct: Array<[item: string, users: string[], more?: Record<string, string>]> = [
    [
      'processor-policies/people',
      [
        'clients/basic.json tokenExchange.processorPolicy',
        'clients/saml.json tokenExchange.processorPolicy',
        'server.json defaults.processorPolicy',
      ],
    ],
    ['token-processors/agents', [`${policy} processors[1].actorTokenProcessor`]],
    [
      'access-token-managers/billing',
      [
        'clients/basic.json tokenExchange.accessTokenManagers[1]',
        'clients/basic.json tokenExchange.default.accessTokenManager',
        `${policy} issues[4].accessTokenManager`,
        'policies/token-processors/own.json accessTokenManagers[1]',
      ],
    ],
    [
      'token-generators/foreign',
      ['policies/generator-groups/ledger.json generators["urn:ietf:params:oauth:token-type:jwt"]', `${policy} issues[3].tokenGenerator`],
    ],
    [
      'generator-groups/ledger',
      [
        'clients/saml.json tokenExchange.generatorGroups[0]',
        'clients/saml.json tokenExchange.default.generatorGroup',
        'server.json defaults.generatorGroup',
        `${policy} issues[1].tokenGenerator`,
        `${policy} issues[2].tokenGenerator`,
        `${policy} issues[3].tokenGenerator`,
      ],
    ],
    ['clients/basic', ['policies/access-token-managers/billing.json clients[0]']],
    ['keys/api', ['keys/api-next.json replaces', `${api} signingKey`, 'policies/token-generators/foreign.json signingKey']],
    ['keys/api-next', ['keys/api-next.json replaces']],
    ['keys/decrypting', ['policies/token-processors/partner-saml.json decryptionKeys[0]']],
    [
      'scope:orders.read',
      [
        'clients/basic.json scopes[0]',
        'policies/access-token-managers/billing.json scopes[0]',
        'policies/token-processors/own.json requiredScopes[0]',
      ],
    ],
    ['file:secrets/partner.crt', ['policies/token-processors/partner-saml.json issuers[0].certificates[0]']],
    ['env:POST_SECRET', ['clients/post.json authentication.secrets[0].env']],
    [
      'access-token-managers/api',
      ['policies/access-token-managers/child.json extends'],
      { 'policies/access-token-managers/child.json': '{ "extends": "api" }' },
    ],
    ['scope:orders.write', [`${policy} scope`], { [policy]: '"scope": "[\'orders.write\']"' }],
  ]
  for (const [item, users, more = {}] of direct) {
    it(`of ${item} are found wherever it is named`, async () => {
      const changed = Object.entries(more).map(([file, text]) => [
        file,
        text.startsWith('{') ? text : replaced(whole[file] ?? '', '"scope": "subject"', text),
      ])
      const { uses } = await read({ ...whole, ...Object.fromEntries(changed) })
      const found = usersOf(item, uses).map(({ place }) => `${place.file} ${place.member}`)
      if (Object.keys(more).length > 0) expect(found).to.include.members(users)
      else expect(found).to.have.members(users)
    })
  }

  it('through a parent belong to the parent', async () => {
    const child = { 'policies/access-token-managers/child.json': '{ "extends": "api" }' }
    const { uses } = await read({ ...whole, ...child })
    const manager = usersOf('keys/api', uses).find(({ place }) => place.file === api)
    expect(manager?.users.map(({ user }) => user)).to.include('access-token-managers/child')
    expect(usersOf('keys/api', uses).map(({ user }) => user)).not.to.include('access-token-managers/child')
  })

  it('go round in a circle without end nowhere', async () => {
    const managers = {
      'policies/access-token-managers/a.json': '{ "extends": "b", "type": "jwt" }',
      'policies/access-token-managers/b.json': '{ "extends": "a" }',
    }
    const { uses } = await read({ ...whole, ...managers })
    const depth = (tree: UseTree): number => 1 + Math.max(0, ...tree.users.map(depth))
    expect(usersOf('access-token-managers/a', uses).map(depth)).to.deep.equal([2])
  })

  it('make a key that follows in a used line used, and one that nobody names not', async () => {
    const { items, uses } = await read({ ...whole, 'keys/lonely.json': replaced(whole['keys/mail.json'] ?? '', 'mail.pem', 'lonely.pem') })
    const unused = [...unusedOf(items, uses).keys()].filter(item => item.startsWith('keys/'))
    expect(unused).to.have.members(['keys/decrypting', 'keys/lonely'])
  })

  it('make a group used by the policy that issues to one of its generators', async () => {
    const server = replaced(whole['server.json'] ?? '', ',\n    "generatorGroup": "ledger"', '')
    const { items, uses } = await read({ ...whole, 'server.json': server, 'clients/saml.json': undefined })
    expect([...unusedOf(items, uses).keys()]).not.to.include('generator-groups/ledger')
  })

  describe('are asked by a name:', () => {
    const known = new Set([
      'token-generators/ledger',
      'clients/orders',
      'access-token-managers/orders',
      'scope:orders.read',
      'file:keys/api.pem',
      'env:KEY',
      'server',
    ])
    const names: Array<[typed: string, item: string]> = [
      ['token-generators/ledger', 'token-generators/ledger'],
      ['policies/token-generators/ledger.json', 'token-generators/ledger'],
      ['./policies/token-generators/ledger.json', 'token-generators/ledger'],
      ['/etc/cambist/policies/token-generators/ledger.json', 'token-generators/ledger'],
      ['ledger', 'token-generators/ledger'],
      ['ledger.json', 'token-generators/ledger'],
      ['clients/orders', 'clients/orders'],
      ['orders.read', 'scope:orders.read'],
      ['keys/api.pem', 'file:keys/api.pem'],
      ['KEY', 'env:KEY'],
      ['server.json', 'server'],
    ]
    for (const [typed, item] of names) it(typed, () => expect(itemNamed(typed, known, '/etc/cambist')).to.deep.equal({ item }))

    const problems: Array<[typed: string, problem: string]> = [
      ['orders', '"orders" may be "clients/orders" or "access-token-managers/orders": say which'],
      ['token-generator/ledger', 'there is no token-generator/ledger; did you mean "token-generators/ledger"?'],
      ['ledgr', 'there is no ledgr; did you mean "token-generators/ledger"?'],
      ['nothing-like-it', 'there is no nothing-like-it'],
    ]
    for (const [typed, problem] of problems) it(typed, () => expect(itemNamed(typed, known, '/etc/cambist')).to.deep.equal({ problem }))
  })
})
