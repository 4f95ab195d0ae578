import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { makeSigner } from '../saml/forge.ts'
import { type Files, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import type { Parameters } from '../support/running-server.ts'
import { intoAssertion, samlFiles, withMappings } from '../support/saml.ts'
import { type Claims, expectError, serverFor, withServer } from '../support/world.ts'
import { exchangeWith, Holder } from './holder.ts'

type Policy = { processors: Array<Record<string, unknown>> }

/** The policy, in which every mapping with an actor says `rebind`. */
function rebinding(files: Files): Files {
  const { processors } = files['policies/processor-policies/people.json'] as Policy
  const changed = processors.map(each => ('actorTokenType' in each ? { ...each, rebind: true } : each))
  return patched(files, { 'policies/processor-policies/people.json': { processors: changed } })
}

describe('a token that is bound to a DPoP key', () => {
  const at = serverFor()
  let holder: Holder
  let thief: Holder
  before(async () => {
    holder = await Holder.make()
    thief = await Holder.make()
  })

  const proof = (by: Holder, claims: Claims = {}) => by.proof(at.server.now(), claims)
  const bound = async () => String((await exchangeWith(at, await proof(holder))).json.access_token)
  const refused = async (parameters: Parameters, by: string | undefined, code: string, why: RegExp) => {
    const { description } = expectError(await exchangeWith(at, by, parameters), code)
    expect(description).to.match(why)
  }

  it('is exchanged by whoever proves its key, again and again, and what comes of it is bound to that key', async () => {
    let token = await bound()
    for (const audience of ['api', 'api', 'billing']) {
      const answer = await exchangeWith(at, await proof(holder), at.ownAs(token, { audience }))
      expect(answer.json, answer.text).to.include({ token_type: 'DPoP' })
      if (audience === 'api') token = String(answer.json.access_token)
      expect((await at.introspect(String(answer.json.access_token))).cnf).to.deep.equal({ jkt: holder.jkt })
    }
  })

  it('Appendix A 11: is of no use without a proof, also to the client that it was issued to', async () => {
    await refused(at.ownAs(await bound()), undefined, 'invalid_request', /bound to a key .* proves none of its kind \(jkt\)/)
    expect(at.lastRecord()).to.have.nested.property('refusal.reason', 'subject-token-rejected')
  })

  it('nor with another key, and the proof of a thief is used up all the same', async () => {
    const stolen = await bound()
    const other = await proof(thief)
    await refused(at.ownAs(stolen), other, 'invalid_request', /bound to a key .* proves another one \(jkt\)/)
    await refused(at.ownAs(stolen), other, 'invalid_dpop_proof', /used before/)
    expect(at.lastRecord()).to.not.have.property('provedKeys')
  })

  it('nor with a proof that was seen elsewhere', async () => {
    const stolen = at.ownAs(await bound())
    const elsewhere: Array<[Claims, RegExp]> = [
      [{ htm: 'GET' }, /htm/],
      [{ htu: 'https://api.example.com/orders' }, /htu/],
      [{ iat: Math.floor(at.server.now()) - 200 }, /too old/],
    ]
    for (const [claims, why] of elsewhere) await refused(stolen, await proof(holder, claims), 'invalid_dpop_proof', why)
    const seen = await proof(holder)
    expect((await exchangeWith(at, seen, stolen)).status).to.equal(200)
    await refused(stolen, seen, 'invalid_dpop_proof', /used before/)
  })

  it('is no actor token either', async () => {
    const actor = { actor_token: await bound(), actor_token_type: types.accessToken }
    await refused(actor, undefined, 'invalid_request', /the actor token is refused: it is bound to a key/)
    await refused(actor, await proof(thief), 'invalid_request', /the actor token is refused: .* another one/)
    const answer = await exchangeWith(at, await proof(holder), actor)
    expect(answer.json, answer.text).to.include({ token_type: 'DPoP' })
  })

  it('of a foreign issuer is held to the same', async () => {
    const cnf = { jkt: holder.jkt }
    await refused({ subject_token: await at.person({ cnf }) }, undefined, 'invalid_request', /bound to a key/)
    await refused({ subject_token: await at.person({ cnf }) }, await proof(thief), 'invalid_request', /another one/)
    expect((await exchangeWith(at, await proof(holder), { subject_token: await at.person({ cnf }) })).status).to.equal(200)
  })

  for (const [cnf, why] of [
    [{ 'x5t#S256': 'x' }, /none of its kind \(x5t#S256\)/],
    [{ 'x5t#S256': 'x', jkt: true }, /x5t#S256|jkt is no thumbprint/],
    [{ jwk: {} }, /not known here \(jwk\)/],
    [{ kid: 'x' }, /not known here \(kid\)/],
    [{ 'urn:example:x': 'x' }, /not known here$/],
    [{ jkt: '' }, /jkt is no thumbprint/],
    [{ jkt: ['x'] }, /jkt is no thumbprint/],
    [{}, /does not say to which/],
  ] as const) {
    it(`with cnf ${JSON.stringify(cnf)} is refused, whatever DPoP key is proved beside it`, async () => {
      await refused({ subject_token: await at.person({ cnf }) }, await proof(holder), 'invalid_request', why)
    })
  }

  it('has to have all its keys proved', async () => {
    const cnf = { jkt: holder.jkt, 'x5t#S256': 'x' }
    await refused({ subject_token: await at.person({ cnf }) }, await proof(holder), 'invalid_request', /none of its kind \(x5t#S256\)/)
    const unknown = { jkt: holder.jkt, kid: 'x' }
    await refused({ subject_token: await at.person({ cnf: unknown }) }, await proof(holder), 'invalid_request', /not known here/)
  })

  it('is not bound to another key by an actor, unless the mapping says so', async () => {
    const actor = await at.withActor()
    await refused({ ...actor, ...at.ownAs(await bound()) }, await proof(thief), 'invalid_request', /another one/)
  })
})

describe('a mapping that says rebind', () => {
  const at = serverFor(rebinding)
  let caller: Holder
  let service: Holder
  before(async () => {
    caller = await Holder.make()
    service = await Holder.make()
  })
  const bound = async () => String((await exchangeWith(at, await caller.proof(at.server.now()))).json.access_token)

  it('binds the new token to the key of the service that acts', async () => {
    const answer = await exchangeWith(at, await service.proof(at.server.now()), { ...(await at.withActor()), ...at.ownAs(await bound()) })
    expect(answer.json, answer.text).to.include({ token_type: 'DPoP' })
    const claims = decodeJwt(String(answer.json.access_token))
    expect(claims).to.deep.include({ cnf: { jkt: service.jkt }, act: { iss: at.issuers.agents.issuer, sub: 'robot' } })
  })

  it('still wants a key, so that a bound token never becomes a bearer token', async () => {
    const answer = await exchangeWith(at, undefined, { ...(await at.withActor()), ...at.ownAs(await bound()) })
    expect(expectError(answer, 'invalid_request').description).to.match(/proves none to which a new token could be bound/)
  })

  it('is for the pair with an actor only, and not for the actor token', async () => {
    const alone = await exchangeWith(at, await service.proof(at.server.now()), at.ownAs(await bound()))
    expect(expectError(alone, 'invalid_request').description).to.match(/another one/)
    const actor = await at.withActor({ cnf: { jkt: caller.jkt } })
    const bySomebody = await exchangeWith(at, await service.proof(at.server.now()), { ...actor, ...at.ownAs(await bound()) })
    expect(expectError(bySomebody, 'invalid_request').description).to.match(/the actor token is refused: .* another one/)
  })

  it('does not take what it does not understand', async () => {
    const subject_token = await at.person({ cnf: { kid: 'x' } })
    const answer = await exchangeWith(at, await service.proof(at.server.now()), { ...(await at.withActor()), subject_token })
    expect(expectError(answer, 'invalid_request').description).to.match(/not known here \(kid\)/)
  })
})

describe('what insists on a DPoP proof', () => {
  const at = serverFor(files =>
    patched(files, {
      'clients/stranger.json': { tokenExchange: { binding: 'dpop' } },
      'clients/api.json': { tokenExchange: { binding: 'mtls' } },
      'policies/access-token-managers/opaque.json': { binding: 'any' },
    }),
  )
  const refused = async (client: string, parameters: Parameters, code: string, setting: string) => {
    expectError(await exchangeWith(at, undefined, parameters, client), code)
    expect(at.lastRecord()).to.have.nested.property('refusal.setting', setting)
  }

  it('a client (dpop_bound_access_tokens): no token without one', async () => {
    await refused('stranger', {}, 'invalid_dpop_proof', 'clients/stranger.json tokenExchange.binding')
    const holder = await Holder.make()
    const answer = await exchangeWith(at, await holder.proof(at.server.now()), {}, 'stranger')
    expect(answer.json, answer.text).to.include({ token_type: 'DPoP' })
  })

  it('an access token manager', async () => {
    await refused('gateway', { audience: 'billing' }, 'invalid_dpop_proof', 'policies/access-token-managers/opaque.json binding')
    const holder = await Holder.make()
    expect((await exchangeWith(at, await holder.proof(at.server.now()), { audience: 'billing' })).status).to.equal(200)
  })

  it('and a DPoP proof is no client certificate', async () => {
    const holder = await Holder.make()
    const answer = await exchangeWith(at, await holder.proof(at.server.now()), {}, 'api')
    expect(expectError(answer, 'invalid_request').description).to.equal('a client certificate is required here')
  })
})

describe('what is no access token', () => {
  const signer = makeSigner()
  const at = serverFor(files => samlFiles(files, signer))
  let holder: Holder
  before(async () => {
    holder = await Holder.make()
  })
  const ask = async (requested: string) =>
    exchangeWith(at, await holder.proof(at.server.now()), { audience: 'ledger', requested_token_type: requested })

  it('a JWT for others says to which key it is bound, and so does the answer (DP-7)', async () => {
    const answer = await ask(types.jwt)
    expect(answer.json, answer.text).to.deep.include({ token_type: 'N_A', cnf: { jkt: holder.jkt } })
    expect(decodeJwt(String(answer.json.access_token)).cnf).to.deep.equal({ jkt: holder.jkt })
    const { answer: unbound } = await at.issued({ audience: 'ledger', requested_token_type: types.jwt })
    expect(unbound.json).to.not.have.property('cnf')
  })

  it('an assertion for the bearer cannot be bound, and is not made for a request with a proof', async () => {
    for (const requested of [types.saml2, types.saml1]) {
      const answer = await ask(requested)
      expect(expectError(answer, 'invalid_request').description).to.match(/could not be bound to the key/)
      expect(at.lastRecord()).to.have.nested.property('refusal.reason', 'binding-not-available')
      expect(at.lastRecord()).to.have.nested.property('refusal.setting').that.includes('policies/processor-policies/people.json issues[')
    }
    expect((await at.issued({ audience: 'ledger', requested_token_type: types.saml2 })).answer.json.token_type).to.equal('N_A')
  })

  it('unless the policy says that it may be without a key', async () => {
    await withServer(
      files => {
        const withSaml = samlFiles(files, signer)
        const policy = withSaml['policies/processor-policies/people.json'] as { issues: Array<Record<string, unknown>> }
        const issues = policy.issues.filter(({ tokenGenerator }) => tokenGenerator !== 'ledger-saml')
        return withMappings(
          patched(withSaml, { 'policies/processor-policies/people.json': { issues } }),
          [],
          [{ tokenGenerator: 'ledger-saml', attributes: intoAssertion, unbound: true }],
        )
      },
      async world => {
        const token = await exchangeWith(world, await holder.proof(world.server.now()))
        const parameters = world.ownAs(String(token.json.access_token), { audience: 'ledger', requested_token_type: types.saml2 })
        const answer = await exchangeWith(world, await holder.proof(world.server.now()), parameters)
        expect(answer.json, answer.text).to.include({ token_type: 'N_A' }).and.not.have.property('cnf')
        const stolen = await exchangeWith(world, undefined, parameters)
        expect(expectError(stolen, 'invalid_request').description).to.match(/bound to a key/)
      },
    )
  })
})
