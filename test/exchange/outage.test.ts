import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type Files, issuer, patched, secretOf } from '../support/configuration.ts'
import { compact } from '../support/forge.ts'
import { jwtBearerAssertion, tokenExchange, types } from '../support/oauth.ts'
import { basic, type Parameters } from '../support/running-server.ts'
import { type StoreCall, watchedStore } from '../support/stores.ts'
import { expectError, serverFor } from '../support/world.ts'

describe('a store that is down', () => {
  let signerKey: CryptoKey
  const store = watchedStore()
  const at = serverFor(
    async files => {
      const pair = await generateKeyPair('ES256', { extractable: true })
      signerKey = pair.privateKey
      return withOnce(
        patched(files, {
          'clients/signer.json': {
            authentication: { method: 'private_key_jwt', jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256' }] } },
            tokenExchange: { enabled: true },
          },
        }),
      )
    },
    { store: store.open },
  )
  const everything = () => true
  const during = async <Result>(down: (call: StoreCall) => boolean, run: () => Promise<Result>): Promise<Result> => {
    store.isDown = down
    try {
      return await run()
    } finally {
      store.isDown = () => false
    }
  }
  const unavailable = (parameters: Parameters, client?: string) =>
    during(everything, () => at.refused(parameters, 'temporarily_unavailable', /^unavailable: /, client))

  describe('does not stop an exchange that does not need it', () => {
    it('of a foreign JWT for a JWT, with and without an actor', async () => {
      const actor = await at.withActor()
      await during(everything, async () => {
        await at.issued()
        await at.issued({ ...actor, scope: 'orders.read', requested_token_type: types.jwt })
      })
    })

    it('nor a refusal', async () => {
      const bad = await at.person({ aud: 'x' })
      await during(everything, async () => {
        await at.refused({ audience: 'unknown' }, 'invalid_target', /target-unknown/)
        await at.refused({ subject_token: bad }, 'invalid_request', /another party/)
        await at.refused({ scope: 'admin' }, 'invalid_scope', /admin/)
        await at.refused({}, 'unauthorized_client', /exchange-not-enabled/, 'bystander')
      })
    })

    it('nor a refusal that comes before the store would be asked', async () => {
      const own = at.ownAs(await at.own(), { audience: 'unknown' })
      await during(everything, () => at.refused(own, 'invalid_target', /target-unknown/))
      await during(everything, () => at.refused({ subject_token_type: 'urn:example:once', scope: 'admin' }, 'invalid_scope', /admin/))
    })

    it('nor a token of this server that is a forgery', async () => {
      const forged = compact({ alg: 'ES256', typ: 'at+jwt', kid: 'x', atm: 'api' }, { iss: issuer }, () => 'AAAA')
      await during(everything, () => at.refused(at.ownAs(forged), 'invalid_request', /no access token of this server/))
    })

    it('nor a wrong secret: whether it could be counted or not, it is wrong', async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: basic('gateway', 'wrong') }
      await during(everything, async () => expectError(await at.server.request('POST', '/token', '', headers), 'invalid_client'))
    })

    it('nor keys and metadata', async () => {
      await during(everything, async () => {
        for (const path of ['/jwks', '/.well-known/oauth-authorization-server', '/healthz']) {
          expect((await at.server.request('GET', path)).status).to.equal(200)
        }
      })
    })
  })

  describe('stops what needs it, with 503 and Retry-After, and issues nothing', () => {
    it('a JWT of this server: it may have been revoked', async () => {
      await unavailable(at.ownAs(await at.own()))
    })

    it('a reference token as subject token', async () => {
      await unavailable(at.ownAs(await at.own({ audience: 'billing' })))
    })

    it('an actor token of this server', async () => {
      await unavailable({ actor_token: await at.own(), actor_token_type: types.accessToken })
    })

    it('a reference token as the new token', async () => {
      await unavailable({ audience: 'billing' })
    })

    it('a token that is used once', async () => {
      await unavailable({ subject_token_type: 'urn:example:once' })
    })

    it('an assertion of a client', async () => {
      const claims = { iss: 'signer', sub: 'signer', aud: issuer, jti: randomUUID() }
      const assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).setExpirationTime('1m').sign(signerKey)
      const subject = { grant_type: tokenExchange, subject_token: await at.person(), subject_token_type: types.jwt }
      const parameters = { ...subject, client_assertion_type: jwtBearerAssertion, client_assertion: assertion }
      const answer = await during(everything, () => at.server.post('/token', parameters))
      expectError(answer, 'temporarily_unavailable')
      expect((await at.server.post('/token', parameters)).status, 'and uses nothing up').to.equal(200)
    })

    it('and says so in the record, with no token', async () => {
      const { answer, record, description } = await unavailable({ audience: 'billing' })
      expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 60)
      expect(answer.json).to.have.all.keys('error', 'error_description')
      expect(record).to.include({ outcome: 'unavailable', client: 'gateway', target: 'opaque' }).and.not.have.property('issuedToken')
      expect(record.refusal).to.include({ reason: 'unavailable', outage: 'the store of the test is down' })
      expect(description).to.not.include('of the test')
    })
  })

  describe('is no longer noticed when it is up again', () => {
    it('without a restart, by the same token', async () => {
      const own = at.ownAs(await at.own())
      const reference = at.ownAs(await at.own({ audience: 'billing' }))
      const once = { subject_token: await at.person(), subject_token_type: 'urn:example:once' }
      for (const parameters of [own, reference, once, { audience: 'billing' }]) {
        await unavailable(parameters)
        await at.issued(parameters)
      }
    })

    it('and a token that was used before is still used', async () => {
      const once = { subject_token: await at.person(), subject_token_type: 'urn:example:once' }
      await at.issued(once)
      await unavailable(once)
      await at.refused(once, 'invalid_request', /already-used/)
    })

    it('and a token that was revoked before is still revoked', async () => {
      const own = at.ownAs(await at.own())
      await at.revoke(own.subject_token as string)
      await unavailable(own)
      await at.refused(own, 'invalid_request', /no access token of this server that is valid now/)
    })
  })

  it('in one part takes nothing of the other: of two tokens that are used once, neither is lost', async () => {
    const both = {
      ...{ subject_token: await at.person(), subject_token_type: 'urn:example:once' },
      ...{ actor_token: await at.agent(), actor_token_type: 'urn:example:once' },
    }
    let asked = 0
    const second = ({ method }: StoreCall) => method === 'putIfAbsent' && ++asked === 2
    await during(second, () => at.refused(both, 'temporarily_unavailable', /^unavailable: /))
    expect(asked).to.equal(2)
    await at.issued(both)
    await at.refused(both, 'invalid_request', /already-used/)
  })

  it('stops no client with a remembered or unguessable secret', async () => {
    await during(everything, async () => {
      for (const client of ['gateway', 'stranger']) await at.issued({}, client)
    })
    expect(secretOf('gateway').length).to.be.at.least(32)
  })
})

function withOnce(files: Files): Files {
  const policy = files['policies/processor-policies/people.json'] as { processors: Array<Record<string, unknown>> }
  const [usual] = policy.processors
  const once = { subjectTokenType: 'urn:example:once', subjectTokenProcessor: 'people-once' }
  return patched(files, {
    'policies/token-processors/people-once.json': { ...(files['policies/token-processors/people.json'] as object), once: true },
    'policies/token-processors/agents-once.json': { ...(files['policies/token-processors/agents.json'] as object), once: true },
    'policies/processor-policies/people.json': {
      processors: [
        ...policy.processors,
        { ...usual, ...once },
        { ...usual, ...once, actorTokenType: 'urn:example:once', actorTokenProcessor: 'agents-once' },
      ],
    },
  })
}
