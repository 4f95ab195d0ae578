import { expect } from 'chai'
import { type Files, type Issuers, patched, secretOf } from '../support/configuration.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { basic, encodeForm, type Parameters } from '../support/running-server.ts'
import { watchedStore } from '../support/stores.ts'
import { expectError, expectTokenAnswer, serverFor } from '../support/world.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const garbage = 'this-is-no-token-of-anybody'
const elsewhere = 'https://nobody.example/'

// Each request below has two faults, and the answer tells which of them was looked at first.
describe('the order of an exchange', () => {
  const store = watchedStore()
  let fetches = 0
  const at = serverFor(strictFiles, {
    store: store.open,
    fetch: async url => {
      fetches++
      const { jwks } = at.issuers.people
      if (url !== 'https://people.example/jwks') throw new Error(`nobody should fetch ${url}`)
      return { status: 200, headers: new Headers(), text: async () => JSON.stringify(jwks) }
    },
  })

  const strict = (parameters: Parameters = {}): Parameters => ({
    subject_token_type: 'urn:example:strict',
    audience: 'strict',
    ...parameters,
  })

  it('says nothing before the form is read (1 before 2)', async () => {
    const headers = { ...form, authorization: basic('gateway', 'wrong') }
    const answer = await at.server.request('POST', '/token', 'scope=a&scope=b', headers)
    expectTokenAnswer(answer)
    expectError(answer, 'invalid_request')
  })

  describe('authenticates the client before it says anything about the other parameters (2)', () => {
    // Guesses are counted by the window; these are not what is tested here.
    beforeEach(() => at.server.advance(301))

    const faulty: Array<[string, Parameters]> = [
      ['no grant_type', { grant_type: undefined }],
      ['an unknown grant', { grant_type: 'client_credentials' }],
      ['no subject token', { subject_token: undefined }],
      ['an unknown token type', { subject_token_type: 'urn:example:unknown' }],
      ['an unknown target', { resource: elsewhere }],
      ['a malformed resource', { resource: 'no uri' }],
      ['authorization_details', { authorization_details: '[]' }],
      ['half of an actor', { actor_token_type: types.jwt }],
      ['a malformed scope', { scope: 'a"b' }],
      ['a bad token', { subject_token: garbage }],
    ]
    for (const [what, fault] of faulty) {
      it(`with ${what}`, async () => {
        const body = encodeForm({ grant_type: tokenExchange, subject_token: garbage, subject_token_type: types.jwt, ...fault })
        const wrong = await at.server.request('POST', '/token', body, { ...form, authorization: basic('gateway', 'wrong') })
        const nobody = await at.server.request('POST', '/token', body, form)
        expectError(wrong, 'invalid_client')
        expectError(nobody, 'invalid_client')
      })
    }

    it('with a DPoP header', async () => {
      const answer = await at.server.request('POST', '/token', 'grant_type=x', { ...form, dpop: garbage })
      expectError(answer, 'invalid_client')
    })

    it('and several methods at once are said before that', async () => {
      const body = encodeForm({ grant_type: 'unknown', client_id: 'gateway', client_secret: 'wrong' })
      const answer = await at.server.request('POST', '/token', body, { ...form, authorization: basic('gateway', 'wrong') })
      expectError(answer, 'invalid_request')
    })

    it('and a disabled client is told so only when it has proved who it is', async () => {
      const answer = await at.server.request('POST', '/token', '', { ...form, authorization: basic('disabled', 'wrong') })
      expectError(answer, 'invalid_client')
      await at.refused({}, 'unauthorized_client', /client-disabled/, 'disabled')
    })
  })

  describe('asks for the grant and whether the client may use it (3) before the rest', () => {
    const rest = { subject_token: undefined, subject_token_type: 'urn:example:unknown', resource: elsewhere, actor_token_type: types.jwt }

    it('an unknown grant', async () => {
      await at.refused({ ...rest, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' }, 'unsupported_grant_type', /unknown-grant/)
      await at.refused({ ...rest, grant_type: 'token_exchange' }, 'unsupported_grant_type', /unknown-grant/)
      await at.refused({ ...rest, grant_type: tokenExchange.toUpperCase() }, 'unsupported_grant_type', /unknown-grant/)
    })

    it('no grant', async () => {
      await at.refused({ ...rest, grant_type: undefined }, 'invalid_request', /grant_type is missing/)
    })

    it('an unknown grant of a client that may not exchange', async () => {
      await at.refused({ ...rest, grant_type: 'refresh_token' }, 'unsupported_grant_type', /unknown-grant/, 'bystander')
    })

    it('a client without token exchange', async () => {
      await at.refused(rest, 'unauthorized_client', /exchange-not-enabled/, 'bystander')
    })

    it('a client that is disabled', async () => {
      await at.refused(rest, 'unauthorized_client', /client-disabled/, 'disabled')
    })
  })

  it('needs a policy (4) before a mapping', async () => {
    await at.refused({ subject_token_type: 'urn:example:unknown', audience: 'unknown' }, 'invalid_request', /no-mapping/)
  })

  it('selects the mapping (5) before the target, and names the types that the policy takes', async () => {
    const { description } = await at.refused(
      { subject_token_type: types.saml2, resource: elsewhere, subject_token: garbage },
      'invalid_request',
      /no-mapping/,
    )
    expect(description).to.include(types.jwt).and.to.include(types.accessToken).and.to.include('urn:example:strict')
  })

  describe('selects the target (6) before a token is looked at', () => {
    for (const [what, target, code, why] of [
      ['an unknown resource', { resource: elsewhere }, 'invalid_target', /target-unknown/],
      ['an unknown audience', { audience: 'unknown' }, 'invalid_target', /target-unknown/],
      [
        'a target that cannot make the type',
        { audience: 'billing', requested_token_type: types.jwt },
        'invalid_request',
        /type-not-available/,
      ],
      ['a type that nothing makes', { requested_token_type: types.saml2 }, 'invalid_request', /type-not-available/],
    ] as const) {
      it(what, async () => {
        await at.refused({ subject_token: garbage, ...target }, code, why)
      })
    }
  })

  describe('proves the subject token, then the actor token (7), before it judges them', () => {
    it('the subject first', async () => {
      await at.refused(
        { subject_token: garbage, actor_token: garbage, actor_token_type: types.jwt },
        'invalid_request',
        /the subject token/,
      )
    })

    it('the actor before the audience of the subject', async () => {
      const subject_token = await at.person({ aud: 'https://other.example' })
      await at.refused({ subject_token, actor_token: garbage, actor_token_type: types.jwt }, 'invalid_request', /actor-token-rejected/)
    })

    it('by the declared type, whatever the token looks like', async () => {
      await at.refused({ subject_token: await at.own() }, 'invalid_request', /issuer of the token is not accepted/)
      await at.refused(at.ownAs(await at.person()), 'invalid_request', /no access token of this server/)
    })
  })

  it('applies the audience and lifetime rules (8) before the criteria', async () => {
    await at.refused(
      strict({ subject_token: await at.person({ aud: 'https://other.example', name: 'mapping', level: 0 }) }),
      'invalid_request',
      /its audience is another party/,
    )
    await at.refused(
      strict({ subject_token: await at.person({ cnf: { jkt: 'x' }, name: 'mapping', level: 0 }) }),
      'invalid_request',
      /bound to a key/,
    )
    await at.refused(strict({ subject_token: await at.person({ act: 'x', name: 'mapping', level: 0 }) }), 'invalid_request', /act claim/)
  })

  describe('has the criteria of the mapping, of the policy (9), the scope (10) and the criteria of the target (11), in this order', () => {
    const subject = async (name: string, level = 9) => strict({ subject_token: await at.person({ name, level }), scope: 'admin' })

    it('mapping before policy', async () => {
      await at.refused(await subject('mapping policy target', 0), 'invalid_request', /the mapping wants another name/)
    })

    it('the contract before either', async () => {
      const subject_token = await at.person({ name: 'mapping policy target', level: 0, email: 'no address' })
      await at.refused(strict({ subject_token, scope: 'admin' }), 'invalid_request', /contract-not-met/)
    })

    it('policy before scope', async () => {
      await at.refused(await subject('policy target', 0), 'invalid_request', /the policy wants a higher level/)
    })

    it('scope before target', async () => {
      await at.refused(await subject('target'), 'invalid_scope', /admin/)
    })

    it('and the target last', async () => {
      await at.refused({ ...(await subject('target')), scope: undefined }, 'invalid_request', /the target wants another subject/)
    })
  })

  describe('does nothing costly before the target is known', () => {
    const early: Array<[string, Parameters, string, string?]> = [
      ['an unknown grant', { grant_type: 'unknown' }, 'unsupported_grant_type'],
      ['a client without token exchange', {}, 'unauthorized_client', 'bystander'],
      ['a disabled client', {}, 'unauthorized_client', 'disabled'],
      ['a missing subject_token_type', { subject_token_type: undefined }, 'invalid_request'],
      ['an unknown token type', { subject_token_type: 'urn:example:unknown' }, 'invalid_request'],
      ['an actor that no mapping takes', { actor_token: garbage, actor_token_type: types.saml2 }, 'invalid_request'],
      ['an unknown target', { audience: 'unknown' }, 'invalid_target'],
      ['a target of other clients', { audience: 'strict' }, 'invalid_target', 'stranger'],
      ['a type that the target does not make', { requested_token_type: types.saml1 }, 'invalid_request'],
    ]
    for (const [what, fault, code, client] of early) {
      it(`with ${what}: no key is fetched and no store is asked`, async () => {
        for (const subject_token_type of ['urn:example:remote', types.accessToken]) {
          store.calls.length = 0
          fetches = 0
          const answer = await at.exchange({ subject_token: await at.person(), subject_token_type, ...fault }, client)
          expectError(answer, code)
          expect({ fetches, calls: store.calls }).to.deep.equal({ fetches: 0, calls: [] })
        }
      })
    }

    it('but then it does (so that the above proves something)', async () => {
      fetches = 0
      await at.issued({ subject_token_type: 'urn:example:remote' })
      expect(fetches).to.equal(1)
      const token = await at.own()
      store.calls.length = 0
      await at.issued(at.ownAs(token))
      expect(store.calls.map(({ method }) => method)).to.include('get')
    })
  })

  it('takes no client of another secret for the one that was remembered', async () => {
    await at.issued()
    const answer = await at.server.request('POST', '/token', '', { ...form, authorization: basic('gateway', secretOf('stranger')) })
    expectError(answer, 'invalid_client')
  })
})

/** With a mapping on which every later step can be made to fail. */
function strictFiles(files: Files, { people }: Issuers): Files {
  const policy = files['policies/processor-policies/people.json'] as { processors: Array<Record<string, unknown>>; issues: object[] }
  const [usual] = policy.processors
  const schema = (files['policies/token-processors/people.json'] as { claims: { required: string[] } }).claims
  const claims = { ...schema, required: [...schema.required, 'name', 'level'] }
  const { jwks, ...trusted } = { issuer: people.issuer, jwks: people.jwks }
  return patched(files, {
    'policies/token-processors/strict.json': { type: 'jwt', issuers: [{ ...trusted, jwks }], algorithms: ['ES256'], claims },
    'policies/token-processors/remote.json': {
      type: 'jwt',
      issuers: [{ ...trusted, jwksUri: 'https://people.example/jwks' }],
      algorithms: ['ES256'],
    },
    'policies/processor-policies/people.json': {
      contract: { level: { type: ['number', 'null'] } },
      processors: [
        ...policy.processors.map(processor => ({ ...processor, attributes: { ...(processor.attributes as object), level: 'null' } })),
        {
          subjectTokenType: 'urn:example:strict',
          subjectTokenProcessor: 'strict',
          attributes: { ...(usual?.attributes as object), level: 'subject.level' },
          criteria: [{ require: "!subject.name.contains('mapping')", otherwise: 'the mapping wants another name' }],
        },
        {
          subjectTokenType: 'urn:example:remote',
          subjectTokenProcessor: 'remote',
          attributes: { ...(usual?.attributes as object), level: 'null' },
        },
      ],
      criteria: [{ require: '!has(policy.level) || policy.level > 1.0', otherwise: 'the policy wants a higher level' }],
      issues: [
        ...policy.issues,
        {
          accessTokenManager: 'strict',
          attributes: { sub: 'policy.subject' },
          criteria: [{ require: "policy.subject != 'alice'", otherwise: 'the target wants another subject' }],
        },
      ],
    },
    'policies/access-token-managers/strict.json': {
      type: 'jwt',
      lifetime: '5m',
      signingKey: 'api',
      audience: ['https://strict.example.com'],
      audiences: ['strict'],
      clients: ['gateway'],
      contract: { sub: { type: 'string' } },
    },
  })
}
