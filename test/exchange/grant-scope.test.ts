import { expect } from 'chai'
import { type Files, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { serverFor, type World, withServer } from '../support/world.ts'

const [read, write, admin] = ['orders.read', 'orders.write', 'admin'] as const

/** What was granted: in the answer, in the token and in the record alike. */
async function granted(at: World, parameters: Parameters<World['issued']>[0], client?: string): Promise<string | undefined> {
  const { answer, token, claims, record } = await at.issued(parameters, client)
  const scope = answer.json.scope as string | undefined
  expect(record.scope).to.deep.equal(scope === undefined ? [] : scope.split(' '))
  if (token.includes('.')) expect(claims.scope).to.equal(scope)
  else expect((await at.introspect(token, client)).scope).to.equal(scope)
  return scope
}

/** Which scopes the client, the subject token (`undefined`: no claim) and the target leave. */
const cases: Array<{
  client: string
  subject: string | string[] | undefined
  audience: string
  nothing: string | undefined
  yes: string[]
  no: string[]
}> = [
  {
    client: 'gateway',
    subject: undefined,
    audience: 'api',
    nothing: `${read} ${write}`,
    yes: [read, write, `${read} ${write}`],
    no: [admin],
  },
  { client: 'gateway', subject: undefined, audience: 'billing', nothing: read, yes: [read], no: [write, admin, `${read} ${write}`] },
  { client: 'gateway', subject: read, audience: 'api', nothing: read, yes: [read], no: [write, `${read} ${write}`, admin] },
  { client: 'gateway', subject: write, audience: 'billing', nothing: undefined, yes: [], no: [read, write] },
  { client: 'gateway', subject: '', audience: 'api', nothing: undefined, yes: [], no: [read, write] },
  { client: 'gateway', subject: 'openid profile', audience: 'api', nothing: undefined, yes: [], no: [read, 'openid'] },
  { client: 'gateway', subject: `openid ${read} ${admin}`, audience: 'api', nothing: read, yes: [read], no: [admin, write, 'openid'] },
  { client: 'gateway', subject: [read, 'x'], audience: 'api', nothing: read, yes: [read], no: [write, 'x'] },
  { client: 'gateway', subject: [], audience: 'api', nothing: undefined, yes: [], no: [read] },
  { client: 'gateway', subject: 'ORDERS.READ', audience: 'api', nothing: undefined, yes: [], no: [read, 'ORDERS.READ'] },
  { client: 'gateway', subject: 'orders.readonly', audience: 'api', nothing: undefined, yes: [], no: [read, 'orders.readonly'] },
  { client: 'api', subject: undefined, audience: 'billing', nothing: read, yes: [read], no: [write] },
  { client: 'stranger', subject: undefined, audience: 'api', nothing: undefined, yes: [], no: [read, admin] },
  { client: 'stranger', subject: `${read} ${write}`, audience: 'api', nothing: undefined, yes: [], no: [read] },
]

describe('the scope', () => {
  describe('is what was requested and client, subject token and target all have', () => {
    const at = serverFor()

    for (const { client, subject, audience, nothing, yes, no } of cases) {
      describe(`${client}, a subject token with ${subject === undefined ? 'no scope' : JSON.stringify(subject)}, ${audience}`, () => {
        const asked = async (scope?: string) => ({ subject_token: await at.person({ scope: subject }), audience, scope })

        it(`nothing requested: ${nothing ?? 'none'}`, async () => {
          expect(await granted(at, await asked(), client)).to.equal(nothing)
        })

        for (const scope of yes) {
          it(`gives ${scope}`, async () => {
            expect(await granted(at, await asked(scope), client)).to.equal(scope)
          })
        }

        for (const scope of no) {
          it(`refuses ${scope}, and does not narrow it silently`, async () => {
            const { description } = await at.refused(await asked(scope), 'invalid_scope', /scope-not-available/, client)
            expect(description).to.include(scope.split(' ').at(-1))
          })
        }
      })
    }
  })

  describe('of a token of this server', () => {
    const at = serverFor()

    it('bounds what is exchanged from it', async () => {
      const token = await at.own({ scope: read })
      expect(await granted(at, at.ownAs(token))).to.equal(read)
      await at.refused(at.ownAs(token, { scope: write }), 'invalid_scope', /orders\.write/)
    })

    it('is empty where there is none: an exchange adds nothing', async () => {
      const token = await at.own({}, 'stranger')
      const addressed = at.ownAs(token)
      expect(await granted(at, addressed, 'api')).to.equal(undefined)
      await at.refused({ ...addressed, scope: read }, 'invalid_scope', /orders\.read/, 'api')
    })

    it('is not widened by going through another target', async () => {
      const reference = await at.own({ audience: 'billing' })
      expect(await granted(at, at.ownAs(reference, { audience: 'api' }))).to.equal(read)
      await at.refused(at.ownAs(reference, { audience: 'api', scope: write }), 'invalid_scope', /orders\.write/)
    })

    it('is not widened by an actor with more', async () => {
      const subject = at.ownAs(await at.own({ scope: read }))
      const actor = await at.withActor({ scope: `${read} ${write} ${admin}` })
      expect(await granted(at, { ...subject, ...actor })).to.equal(read)
      await at.refused({ ...subject, ...actor, scope: write }, 'invalid_scope', /orders\.write/)
    })
  })

  describe('as it is written', () => {
    const at = serverFor()

    it('is one string with single spaces, in the order requested, each once', async () => {
      expect(await granted(at, { scope: `${write} ${read}` })).to.equal(`${write} ${read}`)
      expect(await granted(at, { scope: ` ${write}  ${read} ${write} ` })).to.equal(`${write} ${read}`)
    })

    it('is none where it is empty or only spaces', async () => {
      for (const scope of ['', ' ', '   ']) expect(await granted(at, { scope })).to.equal(`${read} ${write}`)
    })

    it('is case-sensitive', async () => {
      await at.refused({ scope: 'Orders.Read' }, 'invalid_scope', /Orders\.Read/)
    })

    for (const scope of ['a"b', 'a\\b', 'orders.read\tb', 'orders.read\nb', 'caf\u00e9', 'a\u0000', '\u00a0', `${read},${write}`]) {
      it(`is refused as ${JSON.stringify(scope)}`, async () => {
        await at.refused({ scope }, 'invalid_scope', /scope-not-available/)
      })
    }

    it('is not repeated at any length where it is refused, lest a token in the wrong place gets into the record', async () => {
      const token = await at.person()
      const { description, record } = await at.refused({ scope: token }, 'invalid_scope', /scope-not-available/)
      expect(description.length).to.be.below(150)
      expect(JSON.stringify(record)).to.not.include(token.slice(0, 60))
      const many = Array.from({ length: 500 }, (_, index) => `scope-${index}`).join(' ')
      expect((await at.refused({ scope: many }, 'invalid_scope', /scope-4 and others/)).description.length).to.be.below(200)
    })

    it('is refused where a subject token has something else for it', async () => {
      for (const scope of [7, null, {}, true, [7], ['orders.read orders.write']]) {
        await at.refused({ subject_token: await at.person({ scope }) }, 'invalid_request', /the scope of the token/)
      }
    })
  })

  describe('by "client": bounded by the client alone', () => {
    const at = serverFor(withScopeRule('client'))

    it('whatever the subject token has', async () => {
      for (const scope of [undefined, '', read, 'openid']) {
        const subject_token = await at.person({ scope })
        expect(await granted(at, { subject_token })).to.equal(`${read} ${write}`)
        expect(await granted(at, { subject_token, scope: write })).to.equal(write)
        await at.refused({ subject_token, scope: admin }, 'invalid_scope', /admin/)
      }
    })

    it('and by the target', async () => {
      await at.refused({ audience: 'billing', scope: write }, 'invalid_scope', /orders\.write/)
    })

    it('also of a token of this server', async () => {
      expect(await granted(at, at.ownAs(await at.own({ scope: read })))).to.equal(`${read} ${write}`)
    })
  })

  describe('by an expression: a foreign vocabulary in our words', () => {
    const at = serverFor(withScopeRule("subject.groups.map(g, g == 'app-orders' ? 'orders.read' : g)"))

    it('gives what it says and the client may have', async () => {
      expect(await granted(at, { subject_token: await at.person({ groups: ['app-orders'] }) })).to.equal(read)
      expect(await granted(at, { subject_token: await at.person({ groups: [write, admin] }) })).to.equal(write)
      expect(await granted(at, { subject_token: await at.person({ groups: [] }) })).to.equal(undefined)
    })

    it('takes the place of the scope of the token', async () => {
      const subject_token = await at.person({ scope: `${read} ${write}`, groups: ['app-orders'] })
      expect(await granted(at, { subject_token })).to.equal(read)
      await at.refused({ subject_token, scope: write }, 'invalid_scope', /orders\.write/)
    })

    it('reads the policy’s attributes and the request too', async () => {
      const rule = "policy.email.endsWith('@example.com') ? context.scopes : []"
      await withServer(withScopeRule(rule), async world => {
        expect(await granted(world, { scope: write })).to.equal(write)
        expect(await granted(world, {})).to.equal(undefined)
        const subject_token = await world.person({ email: 'a@elsewhere.example' })
        await world.refused({ subject_token, scope: write }, 'invalid_scope', /orders\.write/)
      })
    })
  })

  describe('by an expression that reads a claim of which nothing is known', () => {
    const at = serverFor(files => withScopeRule('subject.scp')(withoutClaims(files)))

    it('takes a list of scopes', async () => {
      expect(await granted(at, { subject_token: await at.person({ scp: [read] }) })).to.equal(read)
      expect(await granted(at, { subject_token: await at.person({ scp: [] }) })).to.equal(undefined)
    })

    // A string "contains" parts of its words, so that `orders.readonly` would give `orders.read`.
    for (const scp of ['orders.readonly', read, `${read} ${write}`, 7, true, null, { [read]: true }, [read, 7], [[read]], [null]]) {
      it(`refuses ${JSON.stringify(scp)}`, async () => {
        for (const scope of [undefined, read]) {
          await at.refused({ subject_token: await at.person({ scp }), scope }, 'invalid_request', /expression-failed: .* scope/)
        }
      })
    }

    it('refuses a claim that is not there', async () => {
      await at.refused({}, 'invalid_request', /expression-failed/)
    })
  })

  describe('in expressions', () => {
    const at = serverFor(files => {
      const policy = files['policies/processor-policies/people.json'] as { issues: Array<{ attributes: object }> }
      const api = files['policies/access-token-managers/api.json'] as { contract: object }
      const list = { type: 'array', items: { type: 'string' } }
      return patched(files, {
        'policies/access-token-managers/told.json': {
          ...api,
          ...{ resources: [], audiences: ['told'], scopes: [read], contract: { ...api.contract, granted: list, requested: list } },
        },
        'policies/processor-policies/people.json': {
          issues: [
            ...policy.issues,
            {
              accessTokenManager: 'told',
              attributes: { ...policy.issues[0]?.attributes, granted: 'context.grantedScopes', requested: 'context.scopes' },
            },
          ],
        },
      })
    })

    it('tells the target what was requested and what was granted', async () => {
      expect((await at.issued({ audience: 'told', scope: read })).claims).to.deep.include({ granted: [read], requested: [read] })
      expect((await at.issued({ audience: 'told' })).claims).to.deep.include({ granted: [read], requested: [] })
    })
  })

  describe('of a manager', () => {
    const at = serverFor(files => patched(files, { 'policies/access-token-managers/opaque.json': { scopes: [] } }))

    it('is none where its list is empty', async () => {
      expect(await granted(at, { audience: 'billing' })).to.equal(undefined)
      await at.refused({ audience: 'billing', scope: read }, 'invalid_scope', /orders\.read/)
    })
  })

  it('is what a request asks of one target: of several nothing is issued', async () => {
    await withServer(withScopeRule('subject'), async at => {
      await at.refused({ audience: ['api', 'billing'], scope: read }, 'invalid_target', /several targets/)
      await at.refused({ audience: 'api', requested_token_type: types.saml2, scope: read }, 'invalid_request', /type-not-available/)
    })
  })
})

function withScopeRule(scope: string) {
  return (files: Files): Files => patched(files, { 'policies/processor-policies/people.json': { scope } })
}

// The other processors would be asked for the claim too.
function withoutClaims(files: Files): Files {
  const { processors } = files['policies/processor-policies/people.json'] as { processors: object[] }
  return patched(files, {
    'policies/token-processors/people.json': { claims: undefined },
    'policies/processor-policies/people.json': { processors: processors.slice(0, 1) },
  })
}
