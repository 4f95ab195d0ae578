import { expect } from 'chai'
import { assertion20, makeSigner, subject } from '../saml/forge.ts'
import type { Files } from '../support/configuration.ts'
import { patched } from '../support/configuration.ts'
import { answered, ask, assertionFor, assertionIn, europe, faulted, trustServerFor } from './asking.ts'

const idp = makeSigner()
const text = { type: 'string' }

/** The partner's people are known by a number of ours, and what goes to the ledger has an account beside it. */
function withLookups(files: Files): Files {
  const connection = files['policies/idp-connections/partner.json'] as { attributes: object; generators: object[] }
  const [ledger, ...generators] = connection.generators
  return patched(files, {
    'partners.csv': 'name,number\nalice,0042\nbob,0043\nbob,0044\n',
    'accounts.csv': 'number,account\n0042,acc-1\n',
    'policies/data-stores/partners.json': { type: 'table', file: 'partners.csv', keys: ['name'], attributes: { name: text, number: text } },
    'policies/data-stores/accounts.json': {
      ...{ type: 'table', file: 'accounts.csv', keys: ['number'] },
      attributes: { number: text, account: text },
    },
    'policies/idp-connections/partner.json': {
      lookups: { person: { dataStore: 'partners', where: { name: '{assertion.nameId.value}' }, attributes: ['number'] } },
      attributes: { ...connection.attributes, TOKEN_SUBJECT: 'lookup.person.number' },
      generators: [
        {
          ...ledger,
          lookups: { person: { dataStore: 'accounts', where: { number: '{policy.TOKEN_SUBJECT}' }, attributes: ['account'] } },
          attributes: { SAML_SUBJECT: 'policy.TOKEN_SUBJECT', email: "'alice@partner.example'", groups: '[lookup.person.account]' },
        },
        ...generators,
      ],
    },
  })
}

describe('lookups of IdP connections', () => {
  const world = trustServerFor(idp, withLookups)
  const named = (name: string) => assertionFor(idp, undefined, assertion20({ subject: subject(name) }))

  it('fulfil the contract, and what goes to a generator; each mapping has its own', async () => {
    const issued = assertionIn(await answered(world, { subject: assertionFor(idp) }))
    expect(issued).to.include('>0042</').and.include('>acc-1</')
    const made = world.lastRecord().lookups as Array<Record<string, unknown>>
    expect(made.map(({ name, store, outcome }) => [name, store, outcome])).to.deep.equal([
      ['person', 'partners', 'found'],
      ['person', 'accounts', 'found'],
    ])
  })

  it('refuse where nothing is found, and say nothing of what was asked', async () => {
    const answer = await faulted(world, { subject: named('mallet') }, 'wst:RequestFailed')
    expect(answer.text).to.not.include('mallet')
    expect((world.lastRecord().refusal as { reason: string }).reason).to.equal('lookup-found-nothing')
  })

  it('decide about Validate too', async () => {
    const status = async (token: string) => /status\/(\w+)</.exec((await ask(world, { operation: 'Validate', subject: token })).text)?.[1]
    expect(await status(assertionFor(idp))).to.equal('valid')
    expect(await status(named('mallet'))).to.equal('invalid')
    expect(await status(named('bob'))).to.equal('invalid')
    expect((world.lastRecord().lookups as object[]).length).to.equal(1)
  })

  it('are not made where the request is refused before', async () => {
    await ask(world, { subject: assertionFor(idp, europe) })
    expect(world.lastRecord()).to.not.have.property('lookups')
  })
})
