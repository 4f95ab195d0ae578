import { expect } from 'chai'
import { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { ConfigError } from '../../src/config/problems.ts'
import { generateKey } from '../../src/keys/generate-key.ts'
import { type Files, issuer, patched } from '../support/configuration.ts'
import { byHmac, byPem, compact } from '../support/forge.ts'
import { types } from '../support/oauth.ts'
import { watchedStore } from '../support/stores.ts'
import { type Claims, headerOf, serverFor, withServer } from '../support/world.ts'

describe('a JWT access token', () => {
  const store = watchedStore()
  const at = serverFor(undefined, { store: store.open })

  it('has the header of RFC 9068, and names its manager', async () => {
    const { token } = await at.issued()
    const { keys } = (await at.server.request('GET', '/jwks')).json as unknown as JSONWebKeySet
    expect(headerOf(token)).to.deep.equal({ alg: 'ES256', typ: 'at+jwt', kid: keys[0]?.kid, atm: 'api' })
    expect(keys[0]?.kid).to.equal(await calculateJwkThumbprint(keys[0] ?? {}))
  })

  it('has the claims of RFC 9068, with whole seconds', async () => {
    const before = Math.floor(at.server.now())
    const { claims } = await at.issued({ scope: 'orders.read orders.write' })
    const { iat, exp, jti, ...rest } = claims
    expect(rest).to.deep.equal({
      iss: issuer,
      sub: 'alice',
      aud: 'https://api.example.com',
      client_id: 'gateway',
      scope: 'orders.read orders.write',
      email: 'alice@example.com',
      groups: ['app-orders'],
    })
    expect(iat).to.be.within(before, Math.floor(at.server.now()))
    expect(exp).to.satisfy(Number.isInteger)
    expect(jti).to.match(/^[\w-]{22}$/)
  })

  it('has an id of its own each time', async () => {
    const subject_token = await at.person()
    const ids = new Set<unknown>()
    for (let time = 0; time < 10; time++) ids.add((await at.issued({ subject_token })).claims.jti)
    expect(ids.size).to.equal(10)
  })

  it('names the tokens of this server that it comes from, nearest first, and no others', async () => {
    const first = await at.issued()
    expect(first.claims).to.not.have.property('anc')
    const second = await at.issued(at.ownAs(first.token))
    expect(second.claims.anc).to.deep.equal([first.claims.jti])
    const third = await at.issued(at.ownAs(second.token))
    expect(third.claims.anc).to.deep.equal([second.claims.jti, first.claims.jti])
  })

  it('names the ancestors of its actor too, each once', async () => {
    const first = await at.issued()
    const actor = await at.issued(at.ownAs(first.token))
    const { claims } = await at.issued({ actor_token: actor.token, actor_token_type: types.accessToken })
    expect(claims.anc).to.deep.equal([actor.claims.jti, first.claims.jti])
  })

  it('costs no call of the store to make', async () => {
    const subject_token = await at.person()
    store.calls.length = 0
    await at.issued({ subject_token })
    expect(store.calls).to.deep.equal([])
  })

  it('costs no writing to be exchanged again', async () => {
    const token = await at.own()
    store.calls.length = 0
    await at.issued(at.ownAs(token))
    expect(new Set(store.calls.map(({ method }) => method))).to.deep.equal(new Set(['get']))
  })
})

describe('reading a JWT access token', () => {
  let pem: unknown
  let otherPem: unknown
  const at = serverFor(async files => {
    pem = files['secrets/api.pem']
    const other = await generateKey('ES256')
    otherPem = other.privateKeyPem
    const api = files['policies/access-token-managers/api.json'] as object
    return patched(files, {
      'keys/other.json': { algorithm: 'ES256', status: 'active', privateKey: { file: 'secrets/other.pem' } },
      'secrets/other.pem': otherPem,
      'policies/access-token-managers/other.json': {
        ...api,
        ...{ signingKey: 'other', resources: [], audiences: ['other'], audience: ['https://other.example.com'] },
      },
      'policies/token-processors/own.json': { accessTokenManagers: ['api', 'opaque', 'wide', 'other'] },
    })
  })

  /** A genuine token with header and claims changed, signed again with the server's own key. */
  async function resigned(header: Claims, claims: Claims = {}, key: unknown = pem): Promise<string> {
    const token = await at.own()
    const all = { ...decodeJwt(token), ...claims }
    return compact(
      { ...headerOf(token), ...header },
      Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
      byPem(key),
    )
  }

  /** Whether the token is taken; introspection and exchange agree. */
  async function expectTaken(token: string, taken: boolean): Promise<void> {
    expect((await at.introspect(token)).active).to.equal(taken)
    const answer = await at.exchange(at.ownAs(token))
    expect(answer.status, answer.text).to.equal(taken ? 200 : 400)
    if (!taken) expect(answer.json.error).to.equal('invalid_request')
  }

  it('takes what is signed again without a change (so that the rest proves something)', async () => {
    await expectTaken(await resigned({}), true)
    await expectTaken(await resigned({ typ: 'AT+JWT' }), true)
    await expectTaken(await resigned({ typ: 'application/at+jwt' }), true)
  })

  const forgeries: Record<string, [Claims, Claims?]> = {
    'no type': [{ typ: undefined }],
    'the type JWT': [{ typ: 'JWT' }],
    'the type of an ID token': [{ typ: 'id_token+jwt' }],
    'another manager with the same key': [{ atm: 'wide' }],
    'another manager with another key': [{ atm: 'other' }],
    'a manager of another kind': [{ atm: 'opaque' }],
    'no manager': [{ atm: undefined }],
    'an unknown manager': [{ atm: 'unknown' }],
    'a manager that is no text': [{ atm: ['api'] }],
    'no kid': [{ kid: undefined }],
    'an unknown kid': [{ kid: 'unknown' }],
    'another algorithm': [{ alg: 'ES384' }],
    'no algorithm': [{ alg: 'none' }],
    'a critical extension': [{ crit: ['atm'] }],
    'another issuer': [{}, { iss: 'https://people.example' }],
    'the issuer with a slash': [{}, { iss: `${issuer}/` }],
    'no issuer': [{}, { iss: undefined }],
    'another audience': [{}, { aud: 'https://billing.example.com' }],
    'the client as its audience': [{}, { aud: 'gateway' }],
    'no audience': [{}, { aud: undefined }],
    'no expiry': [{}, { exp: undefined }],
    'an expiry that is a text': [{}, { exp: '9999999999' }],
    'no id': [{}, { jti: undefined }],
    'an expiry that has passed': [{}, { exp: 1_600_000_000 }],
  }
  for (const [what, [header, claims]] of Object.entries(forgeries)) {
    it(`does not take it with ${what}`, async () => {
      await expectTaken(await resigned(header, claims), false)
    })
  }

  it('does not take it signed by the key of another manager', async () => {
    const other = (await at.server.request('GET', '/jwks')).json as unknown as JSONWebKeySet
    const kids = other.keys.map(({ kid }) => kid)
    expect(kids).to.have.length(2)
    for (const kid of kids) await expectTaken(await resigned({ kid }, {}, otherPem), false)
    for (const kid of kids) await expectTaken(await resigned({ kid, atm: 'other' }, {}, otherPem), false)
    const genuine = await resigned(
      { kid: kids.find(kid => kid !== headerOf(pemToken).kid), atm: 'other' },
      { aud: 'https://other.example.com' },
      otherPem,
    )
    expect(await at.introspect(genuine)).to.include({ active: true })
  })

  let pemToken = ''
  before(async () => {
    pemToken = await at.own()
  })

  it('does not take it with a signature of nothing, or by HMAC with public things', async () => {
    const [header = '', payload = ''] = (await at.own()).split('.')
    const { keys } = (await at.server.request('GET', '/jwks')).json as unknown as JSONWebKeySet
    for (const signature of ['', 'AA', Buffer.alloc(64).toString('base64url')])
      await expectTaken(`${header}.${payload}.${signature}`, false)
    for (const secret of [JSON.stringify(keys[0]), 'secret', issuer]) {
      await expectTaken(compact({ ...headerOf(pemToken), alg: 'HS256' }, decodeJwt(pemToken), byHmac(secret)), false)
    }
  })

  it('does not take it in another spelling', async () => {
    const token = await at.own()
    for (const spelling of [
      `${token}=`,
      ` ${token}`,
      `${token} `,
      `${token}.`,
      token.replace('.', '..'),
      `${token}\n`,
      `Bearer ${token}`,
    ]) {
      await expectTaken(spelling, false)
    }
  })

  it('takes only those of the managers that the processor names', async () => {
    await withServer(
      files => patched(files, { 'policies/token-processors/own.json': { accessTokenManagers: ['opaque'] } }),
      async world => {
        await world.refused(world.ownAs(await world.own()), 'invalid_request', /no access token of this server/)
        await world.issued(world.ownAs(await world.own({ audience: 'billing' })))
      },
    )
  })

  it('wants the scopes that the processor names', async () => {
    await withServer(
      files => patched(files, { 'policies/token-processors/own.json': { requiredScopes: ['orders.read', 'orders.write'] } }),
      async world => {
        await world.issued(world.ownAs(await world.own()))
        const narrow = world.ownAs(await world.own({ scope: 'orders.read' }))
        await world.refused(narrow, 'invalid_request', /it lacks the scope orders\.write$/)
        await world.refused(
          world.ownAs(await world.own({}, 'stranger')),
          'invalid_request',
          /it lacks the scope orders\.read orders\.write$/,
        )
      },
    )
  })

  it('is done under the name …:jwt too, where the policy says so (Spring Security)', async () => {
    await withServer(
      files => {
        const { processors } = files['policies/processor-policies/people.json'] as { processors: object[] }
        const [person, , , own] = processors
        const mappings = [person, own, { ...own, subjectTokenType: types.jwt }, { ...person, subjectTokenType: 'urn:example:person' }]
        return patched(files, { 'policies/processor-policies/people.json': { processors: mappings.slice(1) } })
      },
      async world => {
        const token = await world.own({ subject_token_type: 'urn:example:person' })
        await world.issued({ subject_token: token, subject_token_type: types.jwt })
        await world.issued({ subject_token: token, subject_token_type: types.accessToken })
        await world.refused({ subject_token_type: types.jwt }, 'invalid_request', /no access token of this server/)
      },
    )
  })
})

describe('a line of signing keys', () => {
  let keys: Record<'old' | 'now' | 'soon', Awaited<ReturnType<typeof generateKey>>>
  const at = serverFor(async files => {
    keys = { old: await generateKey('ES256'), now: await generateKey('RS256'), soon: await generateKey('EdDSA') }
    const key = (name: keyof typeof keys, status: string, more: object = {}) => ({
      [`keys/${name}.json`]: { algorithm: keys[name].algorithm, status, privateKey: { file: `secrets/${name}.pem` }, ...more },
      [`secrets/${name}.pem`]: keys[name].privateKeyPem,
    })
    return patched(files, {
      ...key('old', 'retired'),
      ...key('now', 'active', { replaces: 'old' }),
      ...key('soon', 'next', { replaces: 'now' }),
      'policies/access-token-managers/api.json': { signingKey: 'old' },
    })
  })

  it('signs with the active one, whichever the manager names', async () => {
    const { token } = await at.issued()
    expect(headerOf(token)).to.include({ alg: 'RS256', kid: keys.now.kid })
    const jwks = (await at.server.request('GET', '/jwks')).json as unknown as JSONWebKeySet
    await jwtVerify(token, createLocalJWKSet(jwks), { issuer, typ: 'at+jwt' })
  })

  it('takes tokens of the retired one until they end', async () => {
    const claims = decodeJwt(await at.own())
    const header = { alg: 'ES256', typ: 'at+jwt', kid: keys.old.kid, atm: 'api' }
    const token = compact(header, claims, byPem(keys.old.privateKeyPem))
    await at.issued(at.ownAs(token))
    expect(await at.introspect(token)).to.include({ active: true })
    const mixed = compact({ ...header, kid: keys.now.kid }, claims, byPem(keys.old.privateKeyPem))
    await at.refused(at.ownAs(mixed), 'invalid_request', /no access token of this server/)
  })
})

describe('the settings of an access token manager', () => {
  const problems = async (patch: Files): Promise<string> => {
    try {
      await withServer(
        files => patched(files, patch),
        async () => {},
      )
    } catch (error) {
      if (error instanceof ConfigError) return String(error)
      throw error
    }
    return expect.fail('the configuration was loaded')
  }
  const api = 'policies/access-token-managers/api.json'

  for (const name of ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'act', 'cnf', 'anc']) {
    it(`cannot name ${name}: mapped claims forge nothing that the exchange decides`, async () => {
      const text = await problems({ [api]: { contract: { [name]: { type: 'string' } } } })
      expect(text).to.match(new RegExp(`api\\.json.*contract\\.${name}.*decided by the exchange`))
      const reference = await problems({ 'policies/access-token-managers/opaque.json': { contract: { [name]: { type: 'string' } } } })
      expect(reference).to.match(new RegExp(`opaque\\.json.*contract\\.${name}.*decided by the exchange`))
    })
  }

  it('need sub, as a text', async () => {
    expect(await problems({ [api]: { contract: { sub: undefined } } })).to.match(/api\.json.*"sub"/)
    expect(await problems({ [api]: { contract: { sub: { type: ['string', 'null'] } } } })).to.match(/api\.json.*"sub"/)
  })

  it('need an audience', async () => {
    expect(await problems({ [api]: { audience: [] } })).to.match(/api\.json.*audience/)
    expect(await problems({ [api]: { audience: undefined } })).to.match(/api\.json.*audience/)
    expect(await problems({ 'policies/access-token-managers/wide.json': { resources: [] } })).to.match(
      /wide\.json.*"requested" needs "resources"/,
    )
  })

  it('need a key that signs', async () => {
    expect(await problems({ [api]: { signingKey: 'unknown' } })).to.match(/api\.json.*signingKey/)
    expect(await problems({ [api]: { signingKey: undefined } })).to.match(/api\.json.*signingKey/)
  })

  it('name scopes that the server has', async () => {
    expect(await problems({ [api]: { scopes: ['orders.raed'] } })).to.match(/api\.json.*scope "orders\.raed"; did you mean "orders\.read"/)
  })

  it('give reference tokens 160 bits at least', async () => {
    expect(await problems({ 'policies/access-token-managers/opaque.json': { length: 19 } })).to.match(/opaque\.json.*length/)
  })
})
