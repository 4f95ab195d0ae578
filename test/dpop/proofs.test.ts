import { createHmac, KeyObject, randomUUID, sign } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { expect } from 'chai'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { issuer, patched } from '../support/configuration.ts'
import { watchedStore } from '../support/stores.ts'
import { type Claims, expectError, serverFor, withServer } from '../support/world.ts'
import { exchangeWith, formOf, Holder, headersWith, tokenEndpoint } from './holder.ts'

describe('DPoP proofs at the token endpoint', () => {
  // It stands still: how old a proof is does not depend on how busy the machine is.
  const began = Date.now() / 1000
  const at = serverFor(undefined, { clock: () => began })
  let holder: Holder
  before(async () => {
    holder = await Holder.make()
  })

  const refused = async (proof: string, why: RegExp) => {
    const answer = await exchangeWith(at, proof)
    const { description } = expectError(answer, 'invalid_dpop_proof')
    expect(description).to.match(why)
    expect(at.lastRecord()).to.have.nested.property('refusal.reason', 'dpop-proof-refused')
    expect(at.lastRecord()).to.not.have.property('provedKeys')
    if (proof.length > 40) expect(JSON.stringify(at.lastRecord())).to.not.include(proof.slice(0, 40))
  }
  /** Exactly this text, signed by the key. */
  const written = (header: string, claims: string) => {
    const input = [header, claims].map(text => Buffer.from(text).toString('base64url')).join('.')
    const key = { key: KeyObject.from(holder.privateKey), dsaEncoding: 'ieee-p1363' as const }
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
  }
  const proof = (claims: Claims = {}, header: Claims = {}) => holder.proof(at.server.now(), claims, header)

  for (const algorithm of ['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'PS512', 'EdDSA', 'Ed25519']) {
    it(`binds the token to a key of ${algorithm} (RFC 9449 section 5)`, async () => {
      const other = await Holder.make(algorithm)
      const answer = await exchangeWith(at, await other.proof(at.server.now()))
      expect(answer.json).to.include({ token_type: 'DPoP' })
      expect(answer.json).to.not.have.property('cnf')
      const token = String(answer.json.access_token)
      expect(decodeJwt(token).cnf).to.deep.equal({ jkt: other.jkt })
      expect(at.lastRecord()).to.deep.include({ provedKeys: { jkt: other.jkt }, cnf: { jkt: other.jkt } })
      expect(await at.introspect(token)).to.deep.include({ token_type: 'DPoP', cnf: { jkt: other.jkt } })
    })
  }

  it('binds a reference token too', async () => {
    const answer = await exchangeWith(at, await proof(), { audience: 'billing' })
    expect(answer.json).to.include({ token_type: 'DPoP' })
    const shown = await at.introspect(String(answer.json.access_token))
    expect(shown).to.deep.include({ token_type: 'DPoP', cnf: { jkt: holder.jkt } })
  })

  it('without one the token is a bearer token', async () => {
    const { answer, claims } = await at.issued()
    expect(answer.json.token_type).to.equal('Bearer')
    expect(claims).to.not.have.property('cnf')
    expect((await at.introspect(String(answer.json.access_token))).token_type).to.equal('Bearer')
  })

  it('is announced in the metadata (RFC 9449 section 5.1)', async () => {
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
      const { json } = await at.server.request('GET', path)
      expect(json.dpop_signing_alg_values_supported).to.include.members(['ES256', 'PS256', 'EdDSA']).and.not.include('none')
    }
  })

  describe('are refused', () => {
    it('when there are several headers, or several in one', async () => {
      const [one, two] = [await proof(), await proof()]
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const sent = httpRequest(new URL('/token', at.server.url), {
          method: 'POST',
          headers: { ...headersWith(undefined), dpop: [one, two] },
        })
        sent.on('error', reject).on('response', answer => answer.resume().on('end', () => resolve(answer.statusCode)))
        formOf(at).then(body => sent.end(body), reject)
      })
      at.server.countExchange()
      expect(status).to.equal(400)
      expect(at.lastRecord()).to.have.nested.property('refusal.reason', 'dpop-proof-refused')
      await refused(`${one}, ${two}`, /several/)
      await refused(`${one},`, /several/)
    })

    const spoilt: Record<string, [() => Promise<string> | string, RegExp]> = {
      'that are no JWT': [() => 'x', /not a signed JWT/],
      'that are empty': [() => '', /not a signed JWT/],
      'that are JSON': [() => '{}', /not a signed JWT/],
      'that are encrypted': [() => 'a.b.c.d.e', /not a signed JWT/],
      'that are huge': [() => proof({ x: 'x'.repeat(9_000) }), /longer/],
      'without a typ': [() => proof({}, { typ: undefined }), /typ/],
      'of another typ': [() => proof({}, { typ: 'JWT' }), /typ/],
      'of the type of an access token': [() => proof({}, { typ: 'at+jwt' }), /typ/],
      'without a key': [() => proof({}, { jwk: undefined }), /jwk/],
      'with a key that is a text': [() => proof({}, { jwk: 'x' }), /jwk/],
      'with the private key': [async () => proof({}, { jwk: await exportJWK(holder.privateKey) }), /key in its header/],
      'with a symmetric key': [() => proof({}, { jwk: { kty: 'oct', k: 'AAAA' } }), /key in its header/],
      'with a key of another algorithm': [async () => proof({}, { jwk: (await Holder.make('ES384')).jwk }), /key in its header/],
      'with the key of somebody else': [async () => proof({}, { jwk: (await Holder.make()).jwk }), /signature/],
      'with a point that is not on the curve': [() => proof({}, { jwk: { ...holder.jwk, y: holder.jwk.x } }), /key in its header/],
      'with a key for encryption': [() => proof({}, { jwk: { ...holder.jwk, use: 'enc' } }), /key in its header/],
      'with a key that is spelled otherwise': [() => proof({}, { jwk: { ...holder.jwk, x: `${holder.jwk.x}=` } }), /normal form/],
      'with crit': [
        () => written(`{"typ":"dpop+jwt","alg":"ES256","crit":["x"],"x":1,"jwk":${JSON.stringify(holder.jwk)}}`, '{}'),
        /extension/,
      ],
      'without a jti': [() => proof({ jti: undefined }), /jti/],
      'with an empty jti': [() => proof({ jti: '' }), /jti/],
      'with a jti that is a number': [() => proof({ jti: 7 }), /jti/],
      'for another method': [() => proof({ htm: 'GET' }), /htm/],
      'for the method in small letters': [() => proof({ htm: 'post' }), /htm/],
      'without a method': [() => proof({ htm: undefined }), /htm/],
      'without an address': [() => proof({ htu: undefined }), /htu/],
      'without a time': [() => proof({ iat: undefined }), /iat/],
      'with a time that is a text': [() => proof({ iat: String(Math.floor(at.server.now())) }), /iat/],
      'that are old': [() => proof({ iat: Math.floor(at.server.now()) - 152 }), /too old/],
      'from the future': [() => proof({ iat: Math.ceil(at.server.now()) + 35 }), /future/],
      'that say themselves that they have expired': [() => proof({ exp: Math.floor(at.server.now()) - 31 }), /expired/],
      'that are not valid yet': [() => proof({ nbf: Math.ceil(at.server.now()) + 35 }), /not valid yet/],
      'with a nonce that is a number': [() => proof({ nonce: 7 }), /nonce/],
    }
    for (const [what, [make, why]] of Object.entries(spoilt)) it(what, async () => refused(await make(), why))

    for (const htu of [
      `${tokenEndpoint}/`,
      `${tokenEndpoint}s`,
      `${issuer}/Token`,
      `${issuer}/introspect`,
      issuer,
      'http://sts.example.com/token',
      'https://sts.example.com:8443/token',
      'https://sts.example.com.evil.example/token',
      'https://evil.example/token',
      'https://user@sts.example.com/token',
      'https://sts.example.com@evil.example/token',
      'https:sts.example.com/token',
      'https:\\\\sts.example.com\\token',
      ` ${tokenEndpoint}`,
      `${tokenEndpoint}\n`,
      '/token',
      'token',
      `${issuer}//token`,
      `${issuer}/%2Ftoken`,
    ]) {
      it(`for the address ${JSON.stringify(htu)}`, async () => refused(await proof({ htu }), /htu/))
    }

    it('without a signature, or with one that the public key could make', async () => {
      const claims = { jti: randomUUID(), htm: 'POST', htu: tokenEndpoint, iat: Math.floor(at.server.now()) }
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      for (const alg of ['none', 'None', 'HS256', 'HS512', 'es256', 'ES256K']) {
        const input = `${part({ typ: 'dpop+jwt', alg, jwk: holder.jwk })}.${part(claims)}`
        const mac = createHmac('sha256', JSON.stringify(holder.jwk)).update(input).digest('base64url')
        await refused(`${input}.${mac}`, /algorithm/)
      }
      const input = `${part({ typ: 'dpop+jwt', alg: 'ES256', jwk: holder.jwk })}.${part(claims)}`
      await refused(`${input}.`, /not a signed JWT/)
      await refused(`${input}.${Buffer.alloc(64).toString('base64url')}`, /signature/)
    })

    it('with members that are there twice', async () => {
      const jwk = JSON.stringify(holder.jwk)
      const claims = `"htm":"POST","htu":"${tokenEndpoint}","iat":${Math.floor(at.server.now())},"jti":"${randomUUID()}"`
      const header = `"typ":"dpop+jwt","alg":"ES256","jwk":${jwk}`
      await refused(written(`{${header},"jwk":${jwk}}`, `{${claims}}`), /twice/)
      await refused(written(`{${header}}`, `{${claims},"htm":"GET"}`), /twice/)
      expect((await exchangeWith(at, written(`{${header}}`, `{${claims}}`))).status).to.equal(200)
    })

    it('with a weak key', async () => {
      const { privateKey, publicKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true })
      const weak = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(128, 0xc5).toString('base64url') }
      const signed = (jwk: object) =>
        new SignJWT({ jti: randomUUID(), htm: 'POST', htu: tokenEndpoint, iat: Math.floor(at.server.now()) })
          .setProtectedHeader({ typ: 'dpop+jwt', alg: 'RS256', jwk: jwk as never })
          .sign(privateKey)
      const jwk = await exportJWK(publicKey)
      await refused(await signed(weak), /key in its header/)
      await refused(await signed({ ...jwk, e: 'AQ' }), /key in its header/)
      await refused(await signed({ ...jwk, n: `AA${jwk.n}` }), /key in its header/)
      expect((await exchangeWith(at, await signed(jwk))).status).to.equal(200)
    })

    it('a second time, whatever the rest of the request is', async () => {
      const used = await proof()
      expect((await exchangeWith(at, used)).status).to.equal(200)
      await refused(used, /used before/)
      const failed = await proof()
      expectError(await exchangeWith(at, failed, { scope: 'unknown' }), 'invalid_scope')
      await refused(failed, /used before/)
      at.server.advance(140)
      await refused(used, /used before/)
      at.server.advance(20)
      await refused(used, /too old/)
    })

    it('but the same jti by two keys are two proofs: nobody uses up those of another', async () => {
      const jti = randomUUID()
      const other = await Holder.make()
      expect((await exchangeWith(at, await proof({ jti }))).status).to.equal(200)
      expect((await exchangeWith(at, await other.proof(at.server.now(), { jti }))).status).to.equal(200)
    })

    it('only after the client is known, and before anything else of the request is judged', async () => {
      const body = await formOf(at, { subject_token: 'garbage' })
      const nobody = { ...headersWith('garbage'), authorization: 'Basic eDp4' }
      expectError(await at.server.request('POST', '/token', body, nobody), 'invalid_client')
      expectError(await at.server.request('POST', '/token', body, headersWith('garbage')), 'invalid_dpop_proof')
    })
  })

  for (const htu of [
    `${tokenEndpoint}?a=b`,
    `${tokenEndpoint}#x`,
    'HTTPS://STS.EXAMPLE.COM/token',
    'https://sts.example.com:443/token',
    'https://sts.example.com/x/../token',
    'https://sts.example.com/%74oken',
  ]) {
    it(`are taken for ${htu}, which is the same address (RFC 3986 section 6.2)`, async () => {
      expect((await exchangeWith(at, await proof({ htu }))).status).to.equal(200)
    })
  }

  it('have a clock of their own, within the skew', async () => {
    for (const shift of [-145, 28]) {
      const answer = await exchangeWith(at, await proof({ iat: Math.floor(at.server.now()) + shift }))
      expect(answer.status, answer.text).to.equal(200)
    }
  })

  it('cost one operation of the store, under a name from which nothing can be learned', async () => {
    const store = watchedStore()
    await withServer(
      files => files,
      async world => {
        const before = store.calls.length
        const jti = randomUUID()
        expect((await exchangeWith(world, await holder.proof(world.server.now(), { jti }))).status).to.equal(200)
        const calls = store.calls.slice(before)
        expect(calls.map(({ method }) => method)).to.deep.equal(['putIfAbsent'])
        expect(String(calls[0]?.arguments[0])).to.match(/^dpop:[A-Za-z0-9_-]{43}$/)
        expect(calls[0]?.arguments[2]).to.be.within(1, 181)
        store.isDown = ({ method }) => method === 'putIfAbsent'
        expectError(await exchangeWith(world, await holder.proof(world.server.now())), 'temporarily_unavailable')
      },
      { store: store.open },
    )
  })

  it('may be of fewer algorithms', async () => {
    await withServer(
      files => patched(files, { 'server.json': { dpop: { algorithms: ['ES256'], maxAge: '10s', clockSkew: '0s' } } }),
      async world => {
        const other = await Holder.make('EdDSA')
        const wrong = await exchangeWith(world, await other.proof(world.server.now()))
        expect(expectError(wrong, 'invalid_dpop_proof').description).to.match(/algorithm/)
        expect(world.lastRecord()).to.have.nested.property('refusal.setting', 'server.json dpop.algorithms')
        expect((await exchangeWith(world, await holder.proof(world.server.now()))).status).to.equal(200)
        const old = await exchangeWith(world, await holder.proof(world.server.now() - 12))
        expect(expectError(old, 'invalid_dpop_proof').description).to.match(/too old/)
        expect(world.lastRecord()).to.have.nested.property('refusal.setting', 'server.json dpop.maxAge')
        const { json } = await world.server.request('GET', '/.well-known/oauth-authorization-server')
        expect(json.dpop_signing_alg_values_supported).to.deep.equal(['ES256'])
      },
      { clock: () => began },
    )
  })
})
