import { expect } from 'chai'
import { type Files, type Issuers, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import type { Parameters } from '../support/running-server.ts'
import { watchedStore } from '../support/stores.ts'
import { serverFor } from '../support/world.ts'

const used = /already-used: the (subject|actor) token was exchanged before/

describe('a token that is used once', () => {
  const store = watchedStore()
  // It stands still: how long a token is left does not depend on how busy the machine is.
  const began = Date.now() / 1000
  const at = serverFor(withOnce, { store: store.open, clock: () => began })
  beforeEach(() => {
    store.calls.length = 0
  })
  const uses = () => store.calls.filter(({ method }) => method === 'putIfAbsent')

  it('is exchanged once', async () => {
    const subject = { subject_token: await at.person() }
    await at.issued(subject)
    await at.refused(subject, 'invalid_request', used)
  })

  it('is not given a second chance by another client, target, scope or type', async () => {
    const subject_token = await at.person()
    await at.issued({ subject_token }, 'stranger')
    const others: Array<[Parameters, string?]> = [
      [{}, 'gateway'],
      [{ audience: 'billing' }],
      [{ scope: 'orders.read' }],
      [{ requested_token_type: types.jwt }],
      [await at.withActor()],
    ]
    for (const [parameters, client] of others) await at.refused({ subject_token, ...parameters }, 'invalid_request', used, client)
  })

  it('is known by its issuer and id, over all processors', async () => {
    const subject_token = await at.person()
    await at.issued({ subject_token })
    await at.refused({ subject_token, subject_token_type: 'urn:example:second' }, 'invalid_request', used)
    const other = await at.person()
    await at.issued({ subject_token: other, subject_token_type: 'urn:example:second' })
    await at.refused({ subject_token: other }, 'invalid_request', used)
  })

  it('is known by its issuer and id, not by its text', async () => {
    const jti = 'the-same-id'
    await at.issued({ subject_token: await at.person({ jti }) })
    await at.refused({ subject_token: await at.person({ jti, sub: 'bob' }, { typ: undefined }) }, 'invalid_request', used)
    await at.issued({ subject_token: await at.person({ jti: `${jti}-2` }) })
  })

  it('does not use up the same id of another issuer', async () => {
    const jti = 'an-id-of-two-issuers'
    await at.issued({ subject_token: await at.person({ jti }), ...(await at.withActor({ jti })) })
    await at.issued({ subject_token: await at.person(), ...(await at.withActor({ jti: `${jti}-2` })) })
    await at.refused({ subject_token: await at.person(), ...(await at.withActor({ jti })) }, 'invalid_request', used)
  })

  it('cannot be put together from issuer and id in another way', async () => {
    await at.issued({ subject_token: await at.person({ jti: 'x' }) })
    await at.issued({ subject_token: await at.person({ jti: '\u0000x' }) })
    await at.issued({ subject_token: await at.person({ jti: 'x\u0000' }) })
  })

  it('needs an id', async () => {
    await at.refused({ subject_token: await at.person({ jti: undefined }) }, 'invalid_request', /the subject token is refused: .*has no id/)
    await at.refused(await at.withActor({ jti: undefined }), 'invalid_request', /the actor token is refused: .*has no id/)
  })

  it('needs an expiry', async () => {
    const unending = { subject_token: await at.person({ exp: undefined }), subject_token_type: 'urn:example:unending' }
    await at.refused(unending, 'invalid_request', /does not say when it expires/)
  })

  it('may be a token of this server', async () => {
    const own = { subject_token: await at.own(), subject_token_type: 'urn:example:own' }
    await at.issued(own)
    await at.refused(own, 'invalid_request', used)
    const reference = { subject_token: await at.own({ audience: 'billing' }), subject_token_type: 'urn:example:own' }
    await at.issued(reference)
    await at.refused(reference, 'invalid_request', used)
  })

  describe('is not used up by a request that is refused', () => {
    it('for the scope, the target, the client or the criteria', async () => {
      const subject_token = await at.person({ groups: [] })
      await at.refused({ subject_token, scope: 'admin' }, 'invalid_scope', /admin/)
      await at.refused({ subject_token, audience: 'unknown' }, 'invalid_target', /target-unknown/)
      await at.refused({ subject_token }, 'unauthorized_client', /exchange-not-enabled/, 'bystander')
      await at.refused({ subject_token, audience: 'grouped' }, 'invalid_request', /the target wants a group/)
      await at.refused({ subject_token, actor_token: 'x', actor_token_type: types.jwt }, 'invalid_request', /actor-token-rejected/)
      expect(uses()).to.deep.equal([])
      await at.issued({ subject_token })
    })

    it('because its actor was used before: what was recorded of the subject is taken back', async () => {
      const actor = await at.withActor()
      await at.issued(actor)
      const subject_token = await at.person()
      await at.refused({ subject_token, ...actor }, 'invalid_request', /already-used: the actor token/)
      await at.issued({ subject_token })
    })

    it('because its subject was used before', async () => {
      const subject_token = await at.person()
      await at.issued({ subject_token })
      const actor = await at.withActor()
      await at.refused({ subject_token, ...actor }, 'invalid_request', /already-used: the subject token/)
      await at.issued(actor)
    })

    it('because its actor has no id', async () => {
      const subject_token = await at.person()
      await at.refused({ subject_token, ...(await at.withActor({ jti: undefined })) }, 'invalid_request', /has no id/)
      expect(uses()).to.deep.equal([])
      await at.issued({ subject_token })
    })
  })

  it('is not both subject and actor', async () => {
    const token = await at.person()
    const twice = { subject_token: token, actor_token: token, actor_token_type: 'urn:example:person' }
    await at.refused(twice, 'invalid_request', used)
    await at.issued({ subject_token: token })
  })

  it('is issued to one of many that come at once', async () => {
    const subject_token = await at.person()
    const answers = await Promise.all(Array.from({ length: 8 }, () => at.exchange({ subject_token })))
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 400, 400, 400, 400, 400, 400, 400])
  })

  it('is recorded by a digest, until its expiry and the longest skew that a processor may have', async () => {
    const now = Math.floor(at.server.now())
    const jti = 'an-id-that-nobody-needs-to-know'
    const subject_token = await at.person({ jti, exp: now + 100 })
    await at.issued({ subject_token })
    const [use] = uses()
    const [key, value, seconds] = use?.arguments ?? []
    expect(uses()).to.have.length(1)
    expect(key).to.match(/^used:[\w-]{43}$/)
    expect(value).to.equal('')
    expect(seconds).to.be.within(699, 700)
    expect(JSON.stringify(use)).to.not.include(jti)
    expect(JSON.stringify(use)).to.not.include(subject_token.slice(0, 40))
  })

  it('stays used as long as it is taken anywhere', async () => {
    const subject_token = await at.person({ exp: Math.floor(at.server.now()) + 100 })
    await at.issued({ subject_token })
    // A target that outlives its subject takes the token until the skew has passed.
    at.server.advance(128)
    await at.refused({ subject_token, audience: 'grouped' }, 'invalid_request', used)
  })

  it('stays used at a processor that is more patient with clocks', async () => {
    const subject_token = await at.person({ exp: Math.floor(at.server.now()) + 100 })
    await at.issued({ subject_token })
    at.server.advance(128 + 60)
    const elsewhere = { subject_token, subject_token_type: 'urn:example:second', audience: 'grouped' }
    await at.refused(elsewhere, 'invalid_request', used)
  })

  it('leaves other tokens alone', async () => {
    const actor = { actor_token: await at.own(), actor_token_type: types.accessToken }
    for (let time = 0; time < 3; time++) await at.issued(actor)
  })
})

describe('a token that is not used once', () => {
  const store = watchedStore()
  const at = serverFor(undefined, { store: store.open })

  it('is exchanged as often as one likes, with and without an id, and nothing is written', async () => {
    for (const jti of ['x', undefined]) {
      const subject_token = await at.person({ jti })
      for (let time = 0; time < 3; time++) await at.issued({ subject_token })
    }
    expect(store.calls).to.deep.equal([])
  })
})

function withOnce(files: Files, { people }: Issuers): Files {
  const policy = files['policies/processor-policies/people.json'] as {
    processors: Array<Record<string, unknown>>
    issues: Array<{ attributes: object }>
  }
  const [usual] = policy.processors
  const again = { type: 'jwt', issuers: [{ issuer: people.issuer, jwks: people.jwks }], algorithms: ['ES256'], once: true, clockSkew: '5m' }
  const api = files['policies/access-token-managers/api.json'] as object
  return patched(files, {
    'policies/token-processors/people.json': { once: true },
    'policies/token-processors/agents.json': { once: true },
    'policies/token-processors/second.json': again,
    'policies/token-processors/unending.json': { ...again, expiry: 'optional' },
    'policies/token-processors/own-once.json': { ...(files['policies/token-processors/own.json'] as object), once: true },
    'policies/access-token-managers/grouped.json': { ...api, resources: [], audiences: ['grouped'], outlivesSubject: true },
    'policies/processor-policies/people.json': {
      processors: [
        ...policy.processors,
        { ...usual, subjectTokenType: 'urn:example:second', subjectTokenProcessor: 'second' },
        { ...usual, subjectTokenType: 'urn:example:unending', subjectTokenProcessor: 'unending' },
        { ...usual, subjectTokenType: 'urn:example:own', subjectTokenProcessor: 'own-once' },
        { ...usual, actorTokenType: 'urn:example:person', actorTokenProcessor: 'people' },
      ],
      issues: [
        ...policy.issues,
        {
          accessTokenManager: 'grouped',
          attributes: policy.issues[0]?.attributes,
          criteria: [{ require: "'app-orders' in policy.groups", otherwise: 'the target wants a group' }],
        },
      ],
    },
  })
}
