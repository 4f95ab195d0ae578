import { expect } from 'chai'
import { type Files, patched } from '../support/configuration.ts'
import { serverFor, type World } from '../support/world.ts'

const start = 1_900_000_000

describe('the validity of inbound tokens', () => {
  const at = serverFor(withMappingsOf({ clockSkew: '30s' }), { clock: () => start })

  // The target outlives the subject, so that the expiry alone is looked at.
  const taken = async (world: World, claims: object) => {
    const now = Math.floor(world.server.now())
    return { subject_token: await world.person({ iat: now, exp: now + 600, ...claims }), audience: 'outliving' }
  }

  it('exp: until its skew has passed', async () => {
    const now = at.server.now()
    await at.issued(await taken(at, { iat: now - 100, exp: now + 1 }))
    await at.issued(await taken(at, { iat: now - 100, exp: now - 29 }))
    await at.refused(await taken(at, { iat: now - 100, exp: now - 30 }), 'invalid_request', /it has expired/)
    await at.refused(await taken(at, { iat: now - 100, exp: now - 31 }), 'invalid_request', /it has expired/)
    await at.refused(await taken(at, { iat: 0, exp: 0 }), 'invalid_request', /it has expired/)
  })

  it('exp: of the actor too', async () => {
    const now = at.server.now()
    await at.refused(await at.withActor({ iat: now - 100, exp: now - 30 }), 'invalid_request', /the actor token is refused: it has expired/)
  })

  it('exp: needed', async () => {
    await at.refused(await taken(at, { exp: undefined }), 'invalid_request', /no exp/)
  })

  it('nbf: from its skew before', async () => {
    const now = at.server.now()
    await at.issued(await taken(at, { nbf: now + 30 }))
    await at.refused(await taken(at, { nbf: now + 31 }), 'invalid_request', /it is not valid yet/)
    await at.refused(await at.withActor({ nbf: now + 31 }), 'invalid_request', /the actor token is refused: it is not valid yet/)
  })

  it('iat: not in the future', async () => {
    const now = at.server.now()
    await at.issued(await taken(at, { iat: now + 30 }))
    await at.refused(await taken(at, { iat: now + 31 }), 'invalid_request', /issued in the future/)
    await at.refused(await at.withActor({ iat: now + 31 }), 'invalid_request', /the actor token is refused: it was issued in the future/)
  })

  it('times that are no times', async () => {
    for (const [name, value] of [
      ['exp', String(start + 600)],
      ['exp', -1],
      ['exp', null],
      ['exp', true],
      ['nbf', 'x'],
      ['iat', {}],
      ['iat', [start]],
      ['exp', start * 1000],
    ] as const) {
      await at.refused(await taken(at, { [name]: value }), 'invalid_request', new RegExp(`${name} of the token|has no ${name}`))
    }
  })

  it('passes with the clock', async () => {
    const parameters = await taken(at, {})
    await at.issued(parameters)
    at.server.advance(629)
    await at.issued(parameters)
    at.server.advance(1)
    await at.refused(parameters, 'invalid_request', /it has expired/)
  })

  describe('maxAge', () => {
    const young = serverFor(withMappingsOf({ clockSkew: '0s', maxAge: '5m' }), { clock: () => start })

    it('takes what was issued since then', async () => {
      await young.issued(await taken(young, { iat: start - 300 }))
    })

    it('refuses what is older, or does not say when it was issued', async () => {
      await young.refused(await taken(young, { iat: start - 301 }), 'invalid_request', /too old/)
      await young.refused(await taken(young, { iat: undefined }), 'invalid_request', /too old, or does not say/)
    })
  })

  describe('maxLifetime', () => {
    const short = serverFor(withMappingsOf({ maxLifetime: '10m' }), { clock: () => start })

    it('takes what lives no longer', async () => {
      await short.issued(await taken(short, { iat: start, exp: start + 600 }))
    })

    it('refuses what lives longer, or does not say how long', async () => {
      await short.refused(await taken(short, { iat: start, exp: start + 601 }), 'invalid_request', /lives longer/)
      await short.refused(await taken(short, { iat: undefined }), 'invalid_request', /lives longer than is accepted here, or does not say/)
    })
  })

  describe('without a skew', () => {
    const exact = serverFor(withMappingsOf({ clockSkew: '0s' }), { clock: () => start })

    it('a token ends at its exp, exclusively', async () => {
      await exact.issued(await taken(exact, { iat: start - 9, exp: start + 1 }))
      await exact.refused(await taken(exact, { iat: start - 9, exp: start }), 'invalid_request', /it has expired/)
      await exact.issued(await taken(exact, { nbf: start }))
      await exact.refused(await taken(exact, { nbf: start + 1 }), 'invalid_request', /not valid yet/)
    })
  })

  it('of a token of this server is its own clock’s: no skew makes it last longer', async () => {
    const token = await at.own()
    at.server.advance(599)
    await at.issued(at.ownAs(token, { audience: 'outliving' }))
    at.server.advance(1)
    const { description } = await at.refused(at.ownAs(token, { audience: 'outliving' }), 'invalid_request', /subject-token-rejected/)
    expect(description).to.include('no access token of this server that is valid now')
  })
})

function withMappingsOf(limits: object) {
  return (files: Files): Files => {
    const policy = files['policies/processor-policies/people.json'] as { issues: Array<{ attributes: object }> }
    const api = files['policies/access-token-managers/api.json'] as object
    return patched(files, {
      'policies/token-processors/people.json': limits,
      'policies/access-token-managers/outliving.json': { ...api, resources: [], audiences: ['outliving'], outlivesSubject: true },
      'policies/processor-policies/people.json': {
        issues: [...policy.issues, { accessTokenManager: 'outliving', attributes: policy.issues[0]?.attributes }],
      },
    })
  }
}
