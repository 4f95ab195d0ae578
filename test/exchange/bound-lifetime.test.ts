import { expect } from 'chai'
import { type Files, patched } from '../support/configuration.ts'
import { type Claims, serverFor, type World } from '../support/world.ts'

const start = 1_900_000_000

/** The seconds from `start` at which the new token ends; in the answer, in the token and in the record alike. */
async function endOf(at: World, parameters: Parameters<World['issued']>[0]): Promise<number> {
  const { answer, token, claims, record } = await at.issued(parameters)
  const shown = token.includes('.') ? claims : await at.introspect(token)
  expect(shown.iat).to.equal(Math.floor(at.server.now()))
  expect(answer.json.expires_in)
    .to.be.a('number')
    .and.satisfy(Number.isInteger)
    .and.equal(Number(shown.exp) - Number(shown.iat))
  expect(record.issuedToken).to.include({ expiresAt: shown.exp })
  return Number(shown.exp) - start
}

describe('the lifetime of a new token', () => {
  const at = serverFor(withOutlivingTarget, { clock: () => start })
  const subject = async (seconds: number, claims: Claims = {}) => ({
    subject_token: await at.person({ iat: start - 100, exp: start + seconds, ...claims }),
  })
  const actor = (seconds: number) => at.withActor({ iat: start - 100, exp: start + seconds })

  it('is that of the target at most', async () => {
    expect(await endOf(at, await subject(10_000))).to.equal(600)
    expect(await endOf(at, { ...(await subject(10_000)), audience: 'billing' })).to.equal(300)
  })

  it('ends with the subject token, without any skew', async () => {
    expect(await endOf(at, await subject(60))).to.equal(60)
    expect(await endOf(at, { ...(await subject(60)), audience: 'billing' })).to.equal(60)
  })

  it('ends with the actor token, without any skew', async () => {
    expect(await endOf(at, { ...(await subject(500)), ...(await actor(50)) })).to.equal(50)
    expect(await endOf(at, { ...(await subject(50)), ...(await actor(500)) })).to.equal(50)
    expect(await endOf(at, { ...(await subject(10_000)), ...(await actor(10_000)) })).to.equal(600)
  })

  it('is whole seconds, and never later than a token that ends within one', async () => {
    expect(await endOf(at, await subject(59.9))).to.equal(59)
    expect(await endOf(at, { ...(await subject(60)), ...(await actor(7.5)) })).to.equal(7)
  })

  it('is one second at least', async () => {
    expect(await endOf(at, await subject(1))).to.equal(1)
    for (const seconds of [0.9, 0, -1, -29]) {
      await at.refused(await subject(seconds), 'invalid_request', /no-lifetime-left/)
      await at.refused({ ...(await subject(60)), ...(await actor(seconds)) }, 'invalid_request', /no-lifetime-left/)
    }
  })

  it('shrinks with every further exchange, and never grows again', async () => {
    const first = await at.issued(await subject(400))
    at.server.advance(100)
    const second = await at.issued(at.ownAs(first.token))
    at.server.advance(100)
    const third = await at.issued(at.ownAs(second.token))
    expect([first, second, third].map(({ claims }) => Number(claims.exp) - start)).to.deep.equal([400, 400, 400])
    expect(third.answer.json.expires_in).to.equal(200)
    at.server.advance(-200)
  })

  describe('where the target outlives its subject', () => {
    it('is not bounded by the subject token', async () => {
      expect(await endOf(at, { ...(await subject(60)), audience: 'outliving' })).to.equal(600)
      expect(await endOf(at, { ...(await subject(-29)), audience: 'outliving' })).to.equal(600)
    })

    it('is still bounded by the actor token', async () => {
      expect(await endOf(at, { ...(await subject(60)), ...(await actor(30)), audience: 'outliving' })).to.equal(30)
    })
  })

  it('is not bounded by a proof without an expiry', async () => {
    const unending = { subject_token_type: 'urn:example:unending', subject_token: await at.person({ exp: undefined }) }
    expect(await endOf(at, unending)).to.equal(600)
    expect(await endOf(at, { ...unending, ...(await actor(30)) })).to.equal(30)
  })

  describe('between two seconds', () => {
    const half = serverFor(withOutlivingTarget, { clock: () => start + 0.5 })
    const ending = async (seconds: number) => ({ subject_token: await half.person({ iat: start, exp: start + seconds }) })

    it('is counted from the second that has begun', async () => {
      expect(await endOf(half, await ending(10_000))).to.equal(600)
      expect(await endOf(half, await ending(2))).to.equal(2)
    })

    it('is refused where less than a second is left', async () => {
      await half.refused(await ending(1), 'invalid_request', /no-lifetime-left/)
      await half.refused(await ending(1.4), 'invalid_request', /no-lifetime-left/)
    })
  })

  describe('of a target that gives a second', () => {
    const brief = serverFor(files => patched(files, { 'policies/access-token-managers/api.json': { lifetime: '1s' } }), {
      clock: () => start + 0.75,
    })

    it('is a second whenever it is asked for', async () => {
      expect(await endOf(brief, {})).to.equal(1)
    })
  })
})

function withOutlivingTarget(files: Files): Files {
  const policy = files['policies/processor-policies/people.json'] as {
    processors: Array<Record<string, unknown>>
    issues: Array<{ attributes: object }>
  }
  const [usual, withActor] = policy.processors
  const api = files['policies/access-token-managers/api.json'] as object
  const people = files['policies/token-processors/people.json'] as object
  const unending = { subjectTokenType: 'urn:example:unending', subjectTokenProcessor: 'unending' }
  return patched(files, {
    'policies/token-processors/unending.json': { ...people, expiry: 'optional' },
    'policies/access-token-managers/outliving.json': { ...api, resources: [], audiences: ['outliving'], outlivesSubject: true },
    'policies/processor-policies/people.json': {
      processors: [...policy.processors, { ...usual, ...unending }, { ...withActor, ...unending }],
      issues: [...policy.issues, { accessTokenManager: 'outliving', attributes: policy.issues[0]?.attributes }],
    },
  })
}
