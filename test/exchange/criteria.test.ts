import { expect } from 'chai'
import { type Files, issuer, patched } from '../support/configuration.ts'
import { descriptionCharacters, types } from '../support/oauth.ts'
import { serverFor, withServer } from '../support/world.ts'

interface Policy {
  processors: Array<Record<string, unknown> & { attributes: Record<string, string> }>
  issues: Array<Record<string, unknown> & { attributes: Record<string, string> }>
}

function policyOf(files: Files): Policy {
  return files['policies/processor-policies/people.json'] as Policy
}

/** The policy with this said of all its mappings, or of all that it issues. */
function withEach(
  files: Files,
  { mappings = {}, issues = {}, ...policy }: { mappings?: object; issues?: object; [member: string]: unknown },
) {
  const { processors, issues: issued } = policyOf(files)
  return patched(files, {
    'policies/processor-policies/people.json': {
      ...policy,
      processors: processors.map(mapping => ({ ...mapping, ...mappings })),
      issues: issued.map(issue => ({ ...issue, ...issues })),
    },
  })
}

describe('criteria', () => {
  describe('of a policy', () => {
    const criteria = [
      { require: "policy.email.endsWith('@example.com')", otherwise: 'first' },
      { require: "policy.groups.exists(g, g.startsWith('app-'))", otherwise: 'second' },
      { require: "context.clientId != 'stranger'", otherwise: 'third' },
    ]
    const at = serverFor(files => withEach(files, { criteria }))

    it('must all hold, and the first that does not says why', async () => {
      await at.issued()
      const wrong = { email: 'a@elsewhere.example', groups: [] }
      await at.refused({ subject_token: await at.person(wrong) }, 'invalid_request', /criterion-failed: first$/)
      await at.refused({ subject_token: await at.person({ groups: [] }) }, 'invalid_request', /criterion-failed: second$/)
      await at.refused({}, 'invalid_request', /criterion-failed: third$/, 'stranger')
    })

    it('hold for every mapping and every target', async () => {
      const email = 'a@elsewhere.example'
      for (const more of [{}, { audience: 'billing' }, await at.withActor()]) {
        await at.refused({ subject_token: await at.person({ email }), ...more }, 'invalid_request', /criterion-failed: first$/)
      }
    })

    it('stand in the record', async () => {
      const { record } = await at.refused({ subject_token: await at.person({ groups: [] }) }, 'invalid_request', /second/)
      expect(record.refusal).to.include({ reason: 'criterion-failed', description: 'second', error: 'invalid_request' })
    })
  })

  it('are told to the client in permitted characters', async () => {
    const otherwise = 'nur fürs "Büro" \\ only\nfor 😀'
    await withServer(
      files => withEach(files, { criteria: [{ require: 'false', otherwise }] }),
      async at => {
        const { description } = await at.refused({}, 'invalid_request', /criterion-failed/)
        expect(description)
          .to.match(descriptionCharacters)
          .and.match(/^nur f.+rs 'B.+ro'/)
      },
    )
  })

  it('of a mapping see the tokens', async () => {
    const criteria = [{ require: "subject.iss == 'https://people.example' && !has(subject.nonce)", otherwise: 'no nonce' }]
    await withServer(
      files => {
        const { processors } = policyOf(files)
        const [first, second] = processors
        const claims = { properties: { nonce: { type: 'string' } } }
        const robots = [{ require: "actor.sub.startsWith('robot')", otherwise: 'only robots' }]
        return patched(files, {
          'policies/token-processors/people.json': { claims },
          'policies/processor-policies/people.json': {
            processors: [
              { ...first, criteria },
              { ...second, criteria: robots },
            ],
          },
        })
      },
      async at => {
        await at.issued()
        await at.refused({ subject_token: await at.person({ nonce: 'x' }) }, 'invalid_request', /no nonce/)
        await at.issued({ subject_token: await at.person({ nonce: 'x' }), ...(await at.withActor()) })
        await at.refused(await at.withActor({ sub: 'human' }), 'invalid_request', /only robots/)
      },
    )
  })

  it('of a target hold for that target alone, and see policy, act and context', async () => {
    const require =
      "policy.email == 'alice@example.com' && act != null && context.grantedScopes == ['orders.read'] && context.clientIp == '127.0.0.1'"
    await withServer(
      files => {
        const [api, ...others] = policyOf(files).issues
        const issues = [{ ...api, criteria: [{ require, otherwise: 'delegated reading only' }] }, ...others]
        return patched(files, { 'policies/processor-policies/people.json': { issues } })
      },
      async at => {
        const delegated = await at.withActor()
        await at.issued({ ...delegated, scope: 'orders.read' })
        await at.refused({ scope: 'orders.read' }, 'invalid_request', /delegated reading only/)
        await at.refused({ ...delegated, scope: 'orders.write' }, 'invalid_request', /delegated reading only/)
        await at.issued({ audience: 'billing' })
      },
    )
  })

  it('see the request as it was sent, and nothing where nothing was', async () => {
    const seen = (wanted: string) => (files: Files) => withEach(files, { criteria: [{ require: wanted, otherwise: 'seen otherwise' }] })
    const everything = [
      "context.scopes == ['orders.read']",
      "context.resources == ['https://api.example.com/x']",
      "context.audiences == ['api']",
      `context.requestedTokenType == '${types.jwt}'`,
      "context.clientId == 'gateway'",
    ].join(' && ')
    await withServer(seen(everything), async at => {
      const asked = { scope: 'orders.read', resource: 'https://api.example.com/x', audience: 'api', requested_token_type: types.jwt }
      await at.issued(asked)
      for (const name of Object.keys(asked)) await at.refused({ ...asked, [name]: undefined }, 'invalid_request', /seen otherwise/)
    })
    const nothing = "context.scopes == [] && context.resources == [] && context.audiences == [] && context.requestedTokenType == ''"
    await withServer(seen(nothing), async at => {
      await at.issued()
      await at.refused({ audience: 'api' }, 'invalid_request', /seen otherwise/)
    })
  })

  it('can read the properties of a client and the time', async () => {
    await withServer(
      files =>
        patched(
          withEach(files, { criteria: [{ require: "context.client.tier == 'gold' && context.now.getFullYear() > 2020", otherwise: 'x' }] }),
          {
            'clients/gateway.json': { properties: { tier: 'gold' } },
            'clients/stranger.json': { properties: { tier: 'tin' } },
          },
        ),
      async at => {
        await at.issued({}, 'gateway')
        await at.refused({}, 'invalid_request', /criterion-failed/, 'stranger')
        await at.refused({}, 'invalid_request', /expression-failed/, 'api')
      },
    )
  })
})

describe('the attribute contract', () => {
  const at = serverFor(files => {
    const { processors, issues } = policyOf(files)
    const level = { type: ['number', 'null'], maximum: 5 }
    const optional = 'has(subject.level) ? subject.level : null'
    const passed = 'has(policy.level) ? policy.level : null'
    const [api, ...others] = issues
    return patched(files, {
      'policies/access-token-managers/api.json': {
        contract: { level: { type: ['number', 'null'] }, sub: { type: 'string', maxLength: 20 } },
      },
      'policies/processor-policies/people.json': {
        contract: { level, groups: { type: 'array', items: { type: 'string' }, maxItems: 2, uniqueItems: true } },
        processors: processors.slice(0, 2).map(mapping => ({ ...mapping, attributes: { ...mapping.attributes, level: optional } })),
        issues: [{ ...api, attributes: { ...api?.attributes, level: passed } }, ...others],
      },
    })
  })

  it('is met by what it allows', async () => {
    expect((await at.issued({ subject_token: await at.person({ level: 5 }) })).claims).to.include({ level: 5, email: 'alice@example.com' })
  })

  it('leaves out what is null', async () => {
    expect((await at.issued()).claims).to.not.have.property('level')
  })

  const secret = 'value-that-nobody-may-see@in.an.answer'
  for (const [what, claims] of [
    ['a number that is too large', { level: 6 }],
    ['a text of the wrong format', { email: secret.replace('@', ' ') }],
    ['too many items', { groups: [secret, 'b', 'c'] }],
    ['an item twice', { groups: [secret, secret] }],
  ] as const) {
    it(`is not met by ${what}`, async () => {
      const { description } = await at.refused({ subject_token: await at.person(claims) }, 'invalid_request', /contract-not-met/)
      expect(description).to.not.include('nobody')
    })
  }

  it('holds for the target too', async () => {
    const sub = 'a-name-that-is-too-long-for-the-target'
    const { description } = await at.refused({ subject_token: await at.person({ sub }) }, 'invalid_request', /contract-not-met/)
    expect(description).to.include('sub').and.not.include(sub)
    await at.issued({ subject_token: await at.person({ sub }), audience: 'billing' })
  })

  it('refuses what the processor’s own schema refuses, before it', async () => {
    for (const claims of [{ groups: 'x' }, { groups: [7] }, { email: undefined }, { level: '5' }]) {
      await at.refused({ subject_token: await at.person(claims) }, 'invalid_request', /subject-token-rejected: .*(claims|has no) /)
    }
  })
})

describe('an expression that fails at run time', () => {
  const at = serverFor(files => {
    const { processors } = policyOf(files)
    const [first] = processors
    return patched(files, {
      'policies/token-processors/people.json': { claims: undefined },
      'policies/processor-policies/people.json': {
        processors: [{ ...first, attributes: { ...first?.attributes, subject: "subject.names[0] + '@' + subject.tenant" } }],
        criteria: [{ require: "policy.subject.endsWith('@acme')", otherwise: 'acme only' }],
      },
    })
  })

  it('refuses, naming the expression and nothing of the token', async () => {
    await at.issued({ subject_token: await at.person({ names: ['alice'], tenant: 'acme' }) })
    for (const claims of [
      {},
      { names: [] },
      { names: 'alice', tenant: 'acme' },
      { names: [7], tenant: 'acme' },
      { names: ['private-name'], tenant: 7 },
    ]) {
      const refused = await at.refused({ subject_token: await at.person(claims) }, 'invalid_request', /expression-failed/)
      expect(refused.description).to.include('policies/processor-policies/people.json processors[0].attributes.subject')
      expect(refused.description).to.not.include('private-name')
    }
  })

  it('of a wrong type is not taken for the right one', async () => {
    const names = [['alice']]
    await at.refused({ subject_token: await at.person({ names, tenant: 'acme' }) }, 'invalid_request', /expression-failed|contract-not-met/)
  })

  it('does not fail open in a criterion', async () => {
    const criteria = [{ require: "subject.level > 1.0 || subject.name == 'x'", otherwise: 'a level or a name' }]
    await withServer(
      files => withUndeclaredClaims(files, { criteria }),
      async world => {
        await world.issued({ subject_token: await world.person({ level: 2 }) })
        await world.refused({ subject_token: await world.person({ level: 1, name: 'y' }) }, 'invalid_request', /a level or a name/)
        for (const claims of [{}, { level: 'x' }, { level: null }, { level: [2] }]) {
          await world.refused({ subject_token: await world.person(claims) }, 'invalid_request', /expression-failed/)
        }
      },
    )
  })

  it('whose result is not a boolean is no consent', async () => {
    const criteria = [{ require: 'subject.allowed', otherwise: 'not allowed' }]
    await withServer(
      files => withUndeclaredClaims(files, { criteria }),
      async world => {
        await world.issued({ subject_token: await world.person({ allowed: true }) })
        for (const allowed of [false, 'true', 1, [true], {}, null]) {
          await world.refused({ subject_token: await world.person({ allowed }) }, 'invalid_request', /not allowed/)
        }
      },
    )
  })

  it('reads no claims that a token only has by nature', async () => {
    await withServer(
      files => {
        const [first] = policyOf(files).processors
        const attributes = { ...first?.attributes, subject: "has(subject.constructor) || has(subject.toString) ? 'nature' : subject.sub" }
        return withUndeclaredClaims(files, { attributes })
      },
      async world => {
        expect((await world.issued()).claims.sub).to.equal('alice')
      },
    )
  })
})

describe('what a target maps', () => {
  it('comes from the policy’s attributes alone: a claim that is not mapped is not in the token', async () => {
    await withServer(
      files => files,
      async at => {
        const { claims } = await at.issued({ subject_token: await at.person({ name: 'Alice', tenant: 'acme', nonce: 'x', auth_time: 1 }) })
        expect(Object.keys(claims).sort()).to.deep.equal([
          'aud',
          'client_id',
          'email',
          'exp',
          'groups',
          'iat',
          'iss',
          'jti',
          'scope',
          'sub',
        ])
        expect(claims.iss).to.equal(issuer)
      },
    )
  })
})

/** The usual files with claims of no declared type, and a processor mapping that is changed. */
function withUndeclaredClaims(files: Files, change: object): Files {
  const [first] = policyOf(files).processors
  return patched(files, {
    'policies/token-processors/people.json': { claims: undefined },
    'policies/processor-policies/people.json': { processors: [{ ...first, ...change }] },
  })
}
