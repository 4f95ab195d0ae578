import { expect } from 'chai'
import { makeSigner } from '../saml/forge.ts'
import { type Files, type Patch, patched, secretOf } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import type { Parameters } from '../support/running-server.ts'
import { intoAssertion, samlServerFor, withMappings } from '../support/saml.ts'
import type { World } from '../support/world.ts'

const idp = makeSigner()

/** A client of its own for what one test is about. */
function client(id: string, tokenExchange: object): Patch {
  return {
    [`clients/${id}.json`]: {
      authentication: { method: 'client_secret_basic', secrets: [{ file: `secrets/${id}` }] },
      tokenExchange: { enabled: true, ...tokenExchange },
      scopes: ['orders.read'],
    },
    [`secrets/${id}`]: secretOf(id),
  }
}

/** Groups beside `ledger`, and clients that each have other defaults and lists. */
function groupsAndClients(files: Files): Files {
  const text = { type: 'string' }
  const vault = { ...(files['policies/token-generators/ledger-saml.json'] as object), contract: { SAML_SUBJECT: text } }
  return withMappings(
    patched(files, {
      'policies/token-generators/vault.json': vault,
      'policies/token-generators/unmapped.json': vault,
      'policies/generator-groups/vault.json': {
        resources: ['https://api.example.com/vault/', 'urn:example:vault'],
        audiences: ['vault'],
        generators: { [types.saml2]: 'vault', 'urn:example:private': 'ledger-jwt', [types.saml1]: 'ledger-saml11' },
        default: 'urn:example:private',
      },
      'policies/generator-groups/partly.json': {
        resources: ['https://partly.example.com/'],
        generators: { [types.saml2]: 'unmapped', [types.jwt]: 'ledger-jwt' },
        default: types.saml2,
      },
      'policies/generator-groups/unmapped.json': {
        audiences: ['unmapped'],
        generators: { [types.saml2]: 'unmapped' },
        default: types.saml2,
      },
      'policies/access-token-managers/below.json': {
        ...(files['policies/access-token-managers/api.json'] as object),
        resources: ['https://ledger.example.com/api/', 'https://api.example.com/vault/api'],
        audiences: ['below'],
      },
      ...client('both', { default: { accessTokenManager: 'opaque', generatorGroup: 'vault' } }),
      ...client('of-vault', { default: { generatorGroup: 'vault' } }),
      ...client('vault-only', { generatorGroups: ['vault'] }),
      ...client('no-groups', { generatorGroups: [] }),
      ...client('groups-only', { accessTokenManagers: [] }),
      ...client('nothing', { accessTokenManagers: [], generatorGroups: [] }),
      ...client('partly', { default: { generatorGroup: 'partly' } }),
    }),
    [],
    [
      { tokenGenerator: 'vault', attributes: { SAML_SUBJECT: 'policy.subject' } },
      { accessTokenManager: 'below', attributes: { sub: 'policy.subject', email: 'policy.email', groups: 'policy.groups' } },
    ],
  )
}

/** What an exchange selects, by the audit record and the answer: `<target> <generator>`, and the type. */
async function selected(at: World, parameters: Parameters, who?: string): Promise<[string, unknown]> {
  const { record, answer } = await at.issued(parameters, who)
  expect(record.issuedTokenType).to.equal(answer.json.issued_token_type)
  const maker = record.generator === undefined ? '' : ` ${record.generator}`
  return [`${record.target}${maker}`, answer.json.issued_token_type]
}

const notAllowed = /target-not-allowed/
const notMade = /type-not-available/

describe('selecting a generator group', () => {
  describe('by resource and audience', () => {
    const at = samlServerFor(idp, groupsAndClients)

    for (const [name, parameters, target, type] of [
      ['a resource', { resource: 'https://ledger.example.com/' }, 'ledger ledger-saml', types.saml2],
      ['a resource below', { resource: 'https://ledger.example.com/books/7' }, 'ledger ledger-saml', types.saml2],
      ['an exact resource', { resource: 'urn:example:vault' }, 'vault ledger-jwt', 'urn:example:private'],
      ['an audience', { audience: 'ledger' }, 'ledger ledger-saml', types.saml2],
      ['both', { resource: 'https://ledger.example.com/x', audience: 'ledger' }, 'ledger ledger-saml', types.saml2],
      [
        'several resources of it',
        { resource: ['https://ledger.example.com/x', 'https://ledger.example.com/y'] },
        'ledger ledger-saml',
        types.saml2,
      ],
      [
        'the longest match: a group below a manager',
        { resource: 'https://api.example.com/vault/x' },
        'vault ledger-jwt',
        'urn:example:private',
      ],
      ['the longest match: a manager below a group', { resource: 'https://ledger.example.com/api/x' }, 'below', types.accessToken],
      [
        'the longest match: a manager in a group in a manager',
        { resource: 'https://api.example.com/vault/api' },
        'below',
        types.accessToken,
      ],
      ['half a segment, which is not below', { resource: 'https://api.example.com/vaults' }, 'api', types.accessToken],
    ] as const) {
      it(`${name}: ${target}`, async () => {
        expect(await selected(at, parameters)).to.deep.equal([target, type])
      })
    }

    for (const [type, generator] of [
      [types.saml2, 'ledger-saml'],
      [types.saml1, 'ledger-saml11'],
      [types.jwt, 'ledger-jwt'],
    ] as const) {
      it(`the requested type picks the generator: ${generator}`, async () => {
        expect(await selected(at, { audience: 'ledger', requested_token_type: type })).to.deep.equal([`ledger ${generator}`, type])
      })
    }

    it('a private type answers as what was asked for', async () => {
      const requested_token_type = 'urn:example:private'
      const { answer, token } = await at.issued({ audience: 'vault', requested_token_type })
      expect(answer.json).to.deep.equal({
        access_token: token,
        issued_token_type: requested_token_type,
        token_type: 'N_A',
        expires_in: 300,
      })
    })

    for (const type of [types.accessToken, types.idToken, types.refreshToken, 'urn:example:private', 'saml2']) {
      it(`a type that is not in the group is refused: ${type}`, async () => {
        await at.refused({ audience: 'ledger', requested_token_type: type }, 'invalid_request', notMade)
        await at.refused({ resource: 'https://ledger.example.com/x', requested_token_type: type }, 'invalid_request', notMade)
      })
    }

    it('a type that only another group has is refused', async () => {
      await at.refused({ audience: 'vault', requested_token_type: types.jwt }, 'invalid_request', notMade)
    })

    for (const [name, parameters] of Object.entries({
      'a group and a manager by resource': { resource: ['https://ledger.example.com/', 'https://api.example.com/'] },
      'a group and a manager by audience': { audience: ['ledger', 'api'] },
      'a group by audience and a manager by resource': { audience: 'ledger', resource: 'https://api.example.com/' },
      'a group and a manager below it': { resource: ['https://ledger.example.com/', 'https://ledger.example.com/api/'] },
      'two groups': { audience: ['ledger', 'vault'] },
      'two groups that both make the type': { audience: ['ledger', 'vault'], requested_token_type: types.saml2 },
    })) {
      it(`${name}, named together, are refused`, () => at.refused(parameters, 'invalid_target', /several targets/))
    }

    it('names of groups and generators are no audiences', async () => {
      for (const audience of ['ledger-saml', 'partly', 'Ledger', 'https://ledger.example.com']) {
        await at.refused({ audience }, 'invalid_target', /the audience is unknown/)
      }
    })
  })

  describe('applies the lists only after the match', () => {
    const at = samlServerFor(idp, groupsAndClients)

    it("the client's list of groups", async () => {
      expect(await selected(at, { audience: 'vault' }, 'vault-only')).to.deep.equal(['vault ledger-jwt', 'urn:example:private'])
      await at.refused({ audience: 'ledger' }, 'invalid_target', notAllowed, 'vault-only')
      await at.refused({ resource: 'https://ledger.example.com/x' }, 'invalid_target', notAllowed, 'vault-only')
      await at.refused({ audience: 'ledger', requested_token_type: types.idToken }, 'invalid_target', notAllowed, 'vault-only')
    })

    it('of groups says nothing of managers, and the other way round', async () => {
      expect(await selected(at, { audience: 'api' }, 'vault-only')).to.deep.equal(['api', types.accessToken])
      expect(await selected(at, { audience: 'ledger' }, 'groups-only')).to.deep.equal(['ledger ledger-saml', types.saml2])
      await at.refused({ audience: 'api' }, 'invalid_target', notAllowed, 'groups-only')
      await at.refused({ audience: 'ledger' }, 'invalid_target', notAllowed, 'no-groups')
    })

    it('never lets the manager above a group win', async () => {
      await at.refused({ resource: 'https://api.example.com/vault/x' }, 'invalid_target', notAllowed, 'no-groups')
      expect(await selected(at, { resource: 'https://api.example.com/x' }, 'no-groups')).to.deep.equal(['api', types.accessToken])
    })

    it('a group of which the policy issues to no generator', async () => {
      await at.refused({ audience: 'unmapped' }, 'invalid_target', notAllowed)
      await at.refused({ audience: 'unmapped', requested_token_type: types.saml2 }, 'invalid_target', notAllowed)
    })

    it('a generator that the policy does not issue to, in a group of which it issues to another', async () => {
      await at.refused({ resource: 'https://partly.example.com/' }, 'invalid_target', notAllowed)
      await at.refused({ resource: 'https://partly.example.com/', requested_token_type: types.saml2 }, 'invalid_target', notAllowed)
      expect(await selected(at, { resource: 'https://partly.example.com/', requested_token_type: types.jwt })).to.deep.equal([
        'partly ledger-jwt',
        types.jwt,
      ])
    })

    it('refuses alike whether it is the list or the policy', async () => {
      const one = await at.refused({ audience: 'ledger' }, 'invalid_target', notAllowed, 'vault-only')
      const other = await at.refused({ audience: 'unmapped' }, 'invalid_target', notAllowed)
      expect(one.answer.json).to.deep.equal(other.answer.json)
    })
  })

  describe('by defaults', () => {
    /** Rows: the requested type, and for each client what is selected (or the error). */
    type Expected = readonly [target: string, type: string] | readonly [code: 'invalid_request' | 'invalid_target', why: RegExp]
    type Rows = ReadonlyArray<readonly [requested: string | undefined, who: string, expected: Expected]>
    const api = ['api', types.accessToken] as const
    const opaque = ['opaque', types.accessToken] as const
    const inVault = ['vault ledger-jwt', 'urn:example:private'] as const
    const missing = ['invalid_target', /target-missing/] as const
    const unmade = ['invalid_request', notMade] as const

    function rows(at: World, table: Rows): void {
      for (const [requested, who, [first, second]] of table) {
        it(`${requested ?? 'nothing'} by ${who}: ${first}`, async () => {
          const parameters = { requested_token_type: requested }
          if (second instanceof RegExp) await at.refused(parameters, first, second, who)
          else expect(await selected(at, parameters, who)).to.deep.equal([first, second])
        })
      }
    }

    describe('of a server with a default manager that makes JWTs, and a default group', () => {
      const at = samlServerFor(idp, files =>
        patched(groupsAndClients(files), { 'server.json': { defaults: { generatorGroup: 'ledger' } } }),
      )
      rows(at, [
        [undefined, 'gateway', api],
        [undefined, 'both', opaque],
        [undefined, 'of-vault', api],
        [undefined, 'groups-only', ['ledger ledger-saml', types.saml2]],
        [undefined, 'vault-only', api],
        [undefined, 'nothing', missing],
        [types.accessToken, 'gateway', api],
        [types.accessToken, 'both', opaque],
        [types.accessToken, 'groups-only', missing],
        [types.accessToken, 'nothing', missing],
        [types.jwt, 'gateway', ['api', types.jwt]],
        [types.jwt, 'of-vault', ['api', types.jwt]],
        [types.jwt, 'groups-only', ['ledger ledger-jwt', types.jwt]],
        [types.jwt, 'both', unmade],
        [types.saml2, 'gateway', ['ledger ledger-saml', types.saml2]],
        [types.saml2, 'both', ['vault vault', types.saml2]],
        [types.saml2, 'of-vault', ['vault vault', types.saml2]],
        [types.saml2, 'nothing', missing],
        [types.saml1, 'gateway', ['ledger ledger-saml11', types.saml1]],
        [types.saml1, 'both', ['vault ledger-saml11', types.saml1]],
        ['urn:example:private', 'both', inVault],
        ['urn:example:private', 'gateway', unmade],
        [types.idToken, 'gateway', unmade],
        [types.idToken, 'nothing', unmade],
      ])

      it('a default whose generator the policy does not issue to', async () => {
        await at.refused({ requested_token_type: types.saml2 }, 'invalid_target', notAllowed, 'partly')
      })
    })

    describe('of a server with a default manager that makes reference tokens', () => {
      const at = samlServerFor(idp, files =>
        patched(groupsAndClients(files), { 'server.json': { defaults: { accessTokenManager: 'opaque', generatorGroup: 'ledger' } } }),
      )
      rows(at, [
        [undefined, 'gateway', opaque],
        [types.jwt, 'gateway', ['ledger ledger-jwt', types.jwt]],
        [types.jwt, 'of-vault', unmade],
        [types.saml2, 'gateway', ['ledger ledger-saml', types.saml2]],
      ])
    })

    describe('of a server with a default manager only', () => {
      const at = samlServerFor(idp, groupsAndClients)
      rows(at, [
        [undefined, 'gateway', api],
        [undefined, 'groups-only', missing],
        [types.jwt, 'gateway', ['api', types.jwt]],
        [types.saml2, 'gateway', missing],
        [types.saml2, 'both', ['vault vault', types.saml2]],
        ['urn:example:unheard', 'gateway', unmade],
      ])
    })

    describe('of a server with a default group only', () => {
      const at = samlServerFor(idp, files =>
        patched(groupsAndClients(files), { 'server.json': { defaults: { accessTokenManager: undefined, generatorGroup: 'ledger' } } }),
      )
      rows(at, [
        [undefined, 'gateway', ['ledger ledger-saml', types.saml2]],
        [undefined, 'both', opaque],
        [undefined, 'of-vault', inVault],
        [undefined, 'no-groups', missing],
        [types.jwt, 'gateway', ['ledger ledger-jwt', types.jwt]],
        [types.saml1, 'gateway', ['ledger ledger-saml11', types.saml1]],
        [types.accessToken, 'gateway', missing],
      ])
    })

    describe('of a server without any', () => {
      const at = samlServerFor(idp, files =>
        patched(groupsAndClients(files), { 'server.json': { defaults: { accessTokenManager: undefined } } }),
      )
      rows(at, [
        [undefined, 'gateway', missing],
        [undefined, 'of-vault', inVault],
        [types.saml2, 'gateway', missing],
        [types.saml2, 'of-vault', ['vault vault', types.saml2]],
        [types.saml2, 'no-groups', missing],
        [types.jwt, 'gateway', missing],
        [types.jwt, 'of-vault', unmade],
        [types.accessToken, 'gateway', missing],
        [types.idToken, 'gateway', unmade],
      ])
    })
  })

  describe('and scope', () => {
    const at = samlServerFor(idp, groupsAndClients)

    for (const type of [types.saml2, types.saml1, types.jwt]) {
      it(`requested at a group is refused, ${type}`, async () => {
        await at.refused({ audience: 'ledger', requested_token_type: type, scope: 'orders.read' }, 'invalid_scope', /scope-not-available/)
      })

      it(`not requested is none, ${type}`, async () => {
        const { answer, record } = await at.issued({ audience: 'ledger', requested_token_type: type, scope: '' })
        expect(answer.json).to.not.have.property('scope')
        expect(record.scope).to.deep.equal([])
      })
    }

    it('of the subject token is not needed for a group, and not lost at a manager', async () => {
      const subject_token = await at.person({ scope: 'orders.read' })
      expect((await at.issued({ subject_token, audience: 'ledger' })).answer.json).to.not.have.property('scope')
      expect((await at.issued({ subject_token })).answer.json.scope).to.equal('orders.read')
    })
  })
})

describe('the mapping to a generator', () => {
  const at = samlServerFor(idp, files => {
    const policy = files['policies/processor-policies/people.json'] as { issues: Array<Record<string, unknown>> }
    const issues = policy.issues.map(issue =>
      issue.tokenGenerator === 'ledger-saml'
        ? {
            ...issue,
            attributes: {
              ...intoAssertion,
              email: "context.clientId + '@clients.example'",
              groups: "policy.groups.filter(g, g != 'hidden')",
            },
            criteria: [
              { require: "'app-orders' in policy.groups", otherwise: 'only people of orders' },
              { require: "context.requestedTokenType != '' || context.audiences.exists(a, a == 'ledger')", otherwise: 'never' },
              { require: 'size(context.grantedScopes) == 0', otherwise: 'a scope was granted' },
            ],
          }
        : issue,
    )
    return patched(files, { 'policies/processor-policies/people.json': { issues } })
  })
  const toSaml = { audience: 'ledger', requested_token_type: types.saml2 }
  const toJwt = { audience: 'ledger', requested_token_type: types.jwt }

  it('has a fulfilment of its own', async () => {
    const subject_token = await at.person({ groups: ['app-orders', 'hidden'] })
    const xml = Buffer.from((await at.issued({ subject_token, ...toSaml })).token, 'base64url').toString()
    expect(xml).to.include('gateway@clients.example').and.to.include('>app-orders<').and.to.not.include('hidden')
    expect((await at.issued({ subject_token, ...toJwt })).claims.email).to.equal('alice@example.com')
  })

  it('has criteria of its own, which do not hold for the other generator of the group', async () => {
    const subject_token = await at.person({ groups: ['staff'] })
    await at.refused({ subject_token, ...toSaml }, 'invalid_request', /only people of orders/)
    await at.issued({ subject_token, ...toJwt })
  })
})
