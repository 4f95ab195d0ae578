import { createPublicKey, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type Files, issuer, patched, secretOf } from '../support/configuration.ts'
import { byHmac, byPem, compact, tampered } from '../support/forge.ts'
import { type Issuer, makeIssuer } from '../support/issuer.ts'
import { jwtBearerAssertion, tokenExchange, types } from '../support/oauth.ts'
import { basic, encodeForm } from '../support/running-server.ts'
import { expectError, expectTokenAnswer, serverFor } from '../support/world.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const gateway = { ...form, authorization: basic('gateway', secretOf('gateway')) }

/** The minimum negative vectors of the standards' checklist, by their numbers. */
describe('vectors of Appendix A', () => {
  let rsa: Issuer
  let signerKey: CryptoKey
  let signingKey: unknown
  const at = serverFor(async files => {
    rsa = await makeIssuer('https://rsa.example', issuer, 'RS256')
    const pair = await generateKeyPair('ES256', { extractable: true })
    signerKey = pair.privateKey
    signingKey = files['secrets/api.pem']
    return patched(files, {
      'clients/poster.json': {
        authentication: { method: 'client_secret_post', secrets: [{ file: 'secrets/poster' }] },
        tokenExchange: { enabled: true },
      },
      'secrets/poster': secretOf('poster'),
      'clients/signer.json': {
        authentication: { method: 'private_key_jwt', jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256' }] } },
        tokenExchange: { enabled: true },
      },
      ...trusting(files, rsa),
    })
  })

  describe('1: a parameter that is sent twice', () => {
    it('in the body', async () => {
      const token = await at.person()
      await at.refused({ subject_token: [token, token] }, 'invalid_request', /subject_token is repeated/)
      await at.refused({ subject_token: [token, await at.person({ sub: 'eve' })] }, 'invalid_request', /subject_token is repeated/)
    })

    it('in the body and the query string', async () => {
      const token = await at.person()
      const body = encodeForm({ grant_type: tokenExchange, subject_token: token, subject_token_type: types.jwt })
      const answer = await at.server.request('POST', `/token?subject_token=${token}`, body, gateway)
      expectTokenAnswer(answer)
      expect(expectError(answer, 'invalid_request').description).to.match(/not in the query string/)
    })
  })

  describe('2: half of an actor', () => {
    it('actor_token_type without actor_token', async () => {
      await at.refused({ actor_token_type: types.jwt }, 'invalid_request', /actor_token_type is given without actor_token/)
    })

    it('actor_token without actor_token_type', async () => {
      await at.refused({ actor_token: await at.agent() }, 'invalid_request', /actor_token is given without actor_token_type/)
    })
  })

  describe('3: a resource', () => {
    it('with a fragment', async () => {
      await at.refused({ resource: 'https://x/#f' }, 'invalid_target', /fragment/)
      await at.refused({ resource: 'https://api.example.com/#' }, 'invalid_target', /fragment/)
    })

    it('that is no absolute URI', async () => {
      await at.refused({ resource: '/rel' }, 'invalid_target', /absolute URI/)
    })
  })

  it('4: an unknown audience', async () => {
    await at.refused({ audience: 'unknown' }, 'invalid_target', /the audience is unknown here/)
  })

  describe('5: a subject token', () => {
    it('that has expired', async () => {
      const now = Math.floor(at.server.now())
      await at.refused(
        { subject_token: await at.person({ exp: now - 31 }) },
        'invalid_request',
        /the subject token is refused: it has expired/,
      )
    })

    it('with a bad signature', async () => {
      const token = tampered(await at.person(), { sub: 'eve' })
      await at.refused({ subject_token: token }, 'invalid_request', /the signature of the token is not valid/)
    })

    it('for another audience', async () => {
      const token = await at.person({ aud: 'https://other.example' })
      await at.refused({ subject_token: token }, 'invalid_request', /its audience is another party/)
    })
  })

  it('6: Basic and client_secret in the body', async () => {
    await at.refused({ client_id: 'gateway', client_secret: secretOf('gateway') }, 'invalid_request', /exactly one way/)
    await at.refused({ client_secret: secretOf('gateway') }, 'invalid_request', /exactly one way/)
  })

  it('7: a wrong secret by Basic', async () => {
    const authorization = basic('gateway', 'wrong-secret-of-gateway')
    const answer = await at.server.request('POST', '/token', 'grant_type=x', { ...form, authorization })
    expectError(answer, 'invalid_client')
    expect(answer.headers.get('www-authenticate')).to.match(/^Basic realm="/)
  })

  it('8: a wrong secret in the body', async () => {
    const authentic = { client_id: 'poster', client_secret: secretOf('poster') }
    const body = async (client: object) =>
      encodeForm({ grant_type: tokenExchange, subject_token: await at.person(), subject_token_type: types.jwt, ...client })
    expect((await at.server.request('POST', '/token', await body(authentic), form)).status).to.equal(200)
    for (const client of [
      { ...authentic, client_secret: 'wrong-secret-of-poster' },
      { ...authentic, client_id: 'nobody' },
    ]) {
      const answer = await at.server.request('POST', '/token', await body(client), form)
      expectError(answer, 'invalid_client')
      expect(answer.headers.get('www-authenticate')).to.equal(null)
    }
  })

  describe('9: a subject JWT', () => {
    const claims = () => {
      const now = Math.floor(at.server.now())
      return { iss: 'https://rsa.example', sub: 'alice', aud: issuer, iat: now, exp: now + 300, email: 'a@example.com', groups: [] }
    }

    it('that is genuine is taken (so that the rest proves something)', async () => {
      await at.issued({ subject_token: await rsa.sign(claims()), subject_token_type: 'urn:example:rsa' })
    })

    for (const alg of ['none', 'noNE', 'None', 'NONE', '']) {
      it(`with alg "${alg}"`, async () => {
        for (const signature of ['', 'AA']) {
          const forged = compact({ alg, typ: 'JWT', kid: rsa.jwks.keys[0]?.kid }, claims(), () => signature)
          await at.refused({ subject_token: forged, subject_token_type: 'urn:example:rsa' }, 'invalid_request', /subject-token-rejected/)
        }
      })
    }

    it('with HS256 and the public RSA key as its secret', async () => {
      const [jwk = {}] = rsa.jwks.keys
      const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
      const pem = key.export({ type: 'spki', format: 'pem' }).toString()
      const der = key.export({ type: 'spki', format: 'der' })
      for (const secret of [pem, pem.trimEnd(), der, JSON.stringify(jwk), Buffer.from(jwk.n ?? '', 'base64url')]) {
        const forged = compact({ alg: 'HS256', typ: 'JWT', kid: jwk.kid }, claims(), byHmac(secret))
        await at.refused({ subject_token: forged, subject_token_type: 'urn:example:rsa' }, 'invalid_request', /algorithm/)
      }
    })

    it('with a jku header: nothing is fetched', async () => {
      const thief = await makeIssuer('https://rsa.example', issuer, 'RS256')
      let fetches = 0
      const trap = createServer((_, response) => {
        fetches++
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(thief.jwks))
      })
      await new Promise<void>(resolve => trap.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/jwks`
      try {
        for (const header of [{ jku: url }, { x5u: url }, { jwk: thief.jwks.keys[0] }, { jku: url, kid: rsa.jwks.keys[0]?.kid }]) {
          const forged = await thief.sign(claims(), header)
          await at.refused({ subject_token: forged, subject_token_type: 'urn:example:rsa' }, 'invalid_request', /subject-token-rejected/)
        }
        expect(fetches).to.equal(0)
      } finally {
        trap.close()
      }
    })
  })

  describe('10: a JWT for something else', () => {
    for (const typ of [
      'txntoken+jwt',
      'oauth-id-jag+jwt',
      'dpop+jwt',
      'application/dpop+jwt',
      'client-authentication+jwt',
      'secevent+jwt',
    ]) {
      it(`${typ} as a JWT`, async () => {
        await at.refused({ subject_token: await at.person({}, { typ }) }, 'invalid_request', /type \(typ\)/)
      })

      it(`${typ} as an access token of this server, signed with this server's own key`, async () => {
        const genuine = await at.own()
        const [header = '', payload = ''] = genuine.split('.').map(part => Buffer.from(part, 'base64url').toString())
        const resigned = (type: string) => compact({ ...JSON.parse(header), typ: type }, payload, byPem(signingKey))
        await at.issued(at.ownAs(resigned('at+jwt')))
        await at.refused(at.ownAs(resigned(typ)), 'invalid_request', /no access token of this server/)
      })
    }
  })

  it('11: a subject token with cnf.jkt, without DPoP', async () => {
    const token = await at.person({ cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } })
    await at.refused({ subject_token: token }, 'invalid_request', /bound to a key/)
  })

  describe('12: may_act names another actor', () => {
    const mayAct = { iss: 'https://agents.example', sub: 'robot' }

    it('than the actor token', async () => {
      const subject = { subject_token: await at.person({ may_act: mayAct }) }
      await at.issued({ ...subject, ...(await at.withActor()) })
      await at.refused({ ...subject, ...(await at.withActor({ sub: 'other' })) }, 'invalid_request', /may_act/)
    })

    it('than the client, where there is no actor token', async () => {
      await at.refused({ subject_token: await at.person({ may_act: mayAct }) }, 'invalid_request', /may_act/)
    })
  })

  describe('21: private_key_jwt', () => {
    const exchangeAs = async (claims: Record<string, unknown>) => {
      const usual = { iss: 'signer', sub: 'signer', aud: issuer, jti: randomUUID() }
      const assertion = await new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(signerKey)
      const credentials = { client_assertion_type: jwtBearerAssertion, client_assertion: assertion }
      const subject = { subject_token: await at.person(), subject_token_type: types.jwt }
      return at.server.post('/token', { grant_type: tokenExchange, ...subject, ...credentials })
    }

    it('with the issuer as its only audience is taken', async () => {
      expect((await exchangeAs({})).status).to.equal(200)
      expect((await exchangeAs({ aud: [issuer] })).status).to.equal(200)
    })

    for (const [what, aud] of [
      ['the token endpoint', `${issuer}/token`],
      ['the token endpoint in a list', [`${issuer}/token`]],
      ['the issuer and another one', [issuer, 'https://other.example']],
      ['the issuer and the token endpoint', [issuer, `${issuer}/token`]],
      ['the issuer twice', [issuer, issuer]],
      ['the issuer with a slash', `${issuer}/`],
      ['nobody', undefined],
    ] as const) {
      it(`for ${what}`, async () => {
        expectError(await exchangeAs({ aud }), 'invalid_client')
      })
    }
  })

  it('22: a client assertion of SAML', async () => {
    const credentials = {
      client_id: 'signer',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
      client_assertion: Buffer.from('<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/>').toString('base64url'),
    }
    const subject = { subject_token: await at.person(), subject_token_type: types.jwt }
    expectError(await at.server.post('/token', { grant_type: tokenExchange, ...subject, ...credentials }), 'invalid_client')
  })

  describe('29: introspection', () => {
    it('without authentication', async () => {
      const answer = await at.server.post('/introspect', { token: await at.own() })
      expectError(answer, 'invalid_client')
      expect(answer.json).to.not.have.property('active')
    })

    it('of a token for another audience', async () => {
      const token = await at.own()
      expect(await at.introspect(token, 'gateway')).to.include({ active: true })
      expect(await at.introspect(token, 'stranger')).to.deep.equal({ active: false })
    })
  })

  it('30: revocation of an unknown token', async () => {
    for (const token of ['unknown', 'a.b.c', await at.person()]) {
      const answer = await at.server.post('/revoke', { token }, 'gateway')
      expect(answer.status).to.equal(200)
      expect(answer.text).to.equal('')
    }
  })
})

function trusting(files: Files, rsa: Issuer): Files {
  const people = files['policies/processor-policies/people.json'] as { processors: object[] }
  return {
    'policies/token-processors/rsa.json': {
      type: 'jwt',
      issuers: [{ issuer: rsa.issuer, jwks: rsa.jwks }],
      algorithms: ['RS256', 'ES256'],
    },
    'policies/processor-policies/people.json': {
      processors: [...people.processors, { ...people.processors[0], subjectTokenType: 'urn:example:rsa', subjectTokenProcessor: 'rsa' }],
    },
  }
}
