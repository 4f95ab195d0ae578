import { expect } from 'chai'
import { cambist, patience } from '../commands/run.ts'
import { problemsOf, replaced, warningsOf, writeFolder } from './configuration.ts'
import { readMistakes } from './read-mistakes.ts'
import { trustConfiguration } from './trust-configuration.ts'

const table = new URL('trust-mistakes/idp-connections.txt', import.meta.url)
const connection = 'policies/idp-connections/partner.json'

describe('mistakes about IdP connections', function () {
  this.timeout(patience)

  let whole: Record<string, string>
  before(async () => {
    whole = await trustConfiguration()
  })

  it('are none where there are none, and nothing is warned about', async () => {
    expect(await problemsOf(whole)).to.deep.equal([])
    expect(await warningsOf(whole)).to.deep.equal([])
  })

  for (const { file, removed, written, lines } of readMistakes(table)) {
    it(`${file}: ${(written || `without ${removed}`).trim()}`, async () => {
      expect(lines, 'a mistake has a problem').to.not.deep.equal([])
      expect(await problemsOf({ ...whole, [file]: replaced(whole[file] ?? '', removed, written) })).to.deep.equal(lines)
    })
  }

  it('two connections for one issuer are reported at both', async () => {
    expect(await problemsOf({ ...whole, 'policies/idp-connections/twin.json': whole[connection] ?? '' })).to.deep.equal([
      'policies/idp-connections/partner.json:2:3 entityId: "https://idp.partner.example" leads to one connection only, and policies/idp-connections/twin.json has it too',
      'policies/idp-connections/twin.json:2:3 entityId: "https://idp.partner.example" leads to one connection only, and policies/idp-connections/partner.json has it too',
    ])
  })

  it('two mappings of one token type that nothing tells apart are reported', async () => {
    const files = {
      ...whole,
      [connection]: replaced(whole[connection] ?? '', '      "appliesTo": ["https://ledger.example.com/ws"],\n', '')
        .replace('"tokenGenerator": "ledger11"', '"tokenGenerator": "ledger"')
        .replace('"email": "\'a@b.example\'"', '"groups": "[]"'),
    }
    expect(await problemsOf(files)).to.deep.equal([
      'policies/idp-connections/partner.json:16:5 generators[1]: cannot be told from generators[0] at "https://sts-eu.example.com": generators[0] makes the same token type, and neither has "appliesTo"',
    ])
  })

  it('a client that is issued tokens with a DPoP proof only is told that WS-Trust has none', async () => {
    const caller = replaced(whole['clients/caller.json'] ?? '', '  "wsTrust"', '  "tokenExchange": { "binding": "dpop" },\n  "wsTrust"')
    expect(await problemsOf({ ...whole, 'clients/caller.json': caller })).to.deep.equal([])
    expect(await warningsOf({ ...whole, 'clients/caller.json': caller })).to.deep.equal([
      'clients/caller.json:6:5 wsTrust.connections: no token is ever issued here: "tokenExchange.binding" wants a DPoP proof, and WS-Trust has none [unreachable-target]',
    ])
  })

  it('check lists the mappings with their virtual servers, usage the connections of a generator', async () => {
    const { folder, remove } = writeFolder(whole)
    try {
      const env = { POST_SECRET: 'x'.repeat(32) }
      const { output } = await cambist(['check', '--config', folder], { env })
      expect(output).to.include(
        [
          'policies/idp-connections/partner.json: validate-and-issue for https://idp.partner.example',
          '  generators[0] ledger (the default, for https://ledger.example.com/ws), at https://sts.example.com and https://sts-eu.example.com',
          '  generators[1] ledger11, at https://sts-eu.example.com',
        ].join('\n'),
      )
      const listed = JSON.parse((await cambist(['check', '--json', '--config', folder], { env })).output)
      expect(listed.connections[0].generators[1]).to.include({ tokenGenerator: 'ledger11', default: false })
      const used = (await cambist(['usage', 'token-generators/ledger11', '--config', folder])).output
      expect(used).to.include(
        'policies/idp-connections/partner.json:18:7 generators[1].tokenGenerator\n    clients/caller.json:5:21 wsTrust.connections[0]',
      )
    } finally {
      remove()
    }
  })
})
