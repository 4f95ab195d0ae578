import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { CompactEncrypt } from 'jose'
import type { DecryptionKey } from '../../src/keys/decryption-key.ts'
import { generateKey } from '../../src/keys/generate-key.ts'
import { keyFile } from '../../src/keys/key-file.ts'
import { Outage, TokenRejected } from '../../src/oauth/errors.ts'
import type { Parts } from '../../src/plugin.ts'
import { jwt } from '../../src/processors/jwt.ts'
import type { TokenProcessor } from '../../src/processors/processor.ts'
import { build, encode, foreignKey, ownIssuer, processorOf } from './building.ts'

const issuer = 'https://login.acme.example'
const acme = foreignKey('ES256', 'acme-1')
const acmeRsa = foreignKey('RS256', 'acme-rsa')
const evil = foreignKey('ES256', 'acme-1')
const now = 1_800_000_000
const claims = { iss: issuer, sub: 'alice', aud: 'https://sts.example.com', exp: now + 300, iat: now }
const file = { issuers: [{ issuer, jwks: { keys: [acme.jwk, acmeRsa.jwk] } }] }
const prove = async (processor: TokenProcessor, token: string) => await processor.process(token, { now })

async function refusal(processor: TokenProcessor, token: string): Promise<string> {
  try {
    await prove(processor, token)
  } catch (error) {
    if (!(error instanceof TokenRejected)) throw error
    // RFC 6749 §5.2, and nothing of the token.
    expect(error.message).to.match(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
    return error.message
  }
  return expect.fail(`accepted: ${token}`)
}

describe('jwt processor', () => {
  let processor: TokenProcessor
  before(async () => {
    processor = await processorOf(jwt, file)
  })

  describe('states what a token proves', () => {
    it('all of it', async () => {
      const all = {
        ...claims,
        ...{
          aud: ['a', 'b'],
          nbf: now - 5,
          jti: 'id-1',
          scope: 'read write',
          client_id: 'c',
          cnf: { jkt: 'x' },
          act: { sub: 'bob' },
          may_act: { sub: 'eve' },
          email: 'a@b',
        },
      }
      expect(await prove(processor, await acme.sign({ typ: 'JWT' }, all))).to.deep.equal({
        issuer,
        subject: 'alice',
        audiences: ['a', 'b'],
        expiresAt: now + 300,
        notBefore: now - 5,
        issuedAt: now,
        id: 'id-1',
        scope: ['read', 'write'],
        confirmation: { jkt: 'x' },
        act: { sub: 'bob' },
        mayAct: { sub: 'eve' },
        attributes: all,
      })
    })

    it('and no more: what is absent stays absent', async () => {
      const proof = await prove(processor, await acme.sign({}, { iss: issuer, sub: 'alice', exp: now + 1 }))
      expect(Object.keys(proof).sort()).to.deep.equal(['attributes', 'audiences', 'expiresAt', 'issuer', 'subject'])
      expect(proof.audiences).to.deep.equal([])
    })

    it('judges neither expiry nor audience', async () => {
      expect((await prove(processor, await acme.sign({}, { ...claims, exp: 1, aud: 'elsewhere' }))).expiresAt).to.equal(1)
    })

    it('gives expressions aud as a list and scope as a string', async () => {
      const proof = await prove(processor, await acme.sign({}, { ...claims, scope: ['a', 'b'] }))
      expect(proof.attributes)
        .to.include({ scope: 'a b' })
        .and.to.deep.include({ aud: ['https://sts.example.com'] })
      expect(proof.scope).to.deep.equal(['a', 'b'])
    })

    it('tells an empty scope from none', async () => {
      expect(await prove(processor, await acme.sign({}, { ...claims, scope: '' }))).to.deep.include({ scope: [] })
      expect(await prove(processor, await acme.sign({}, claims))).not.to.have.property('scope')
    })

    it('of a foreign origin, with its limits', async () => {
      const other = await processorOf(jwt, {
        ...file,
        clockSkew: '10s',
        maxAge: '5m',
        maxLifetime: '1h',
        once: true,
        audiences: ['x', 'client'],
      })
      expect(other).to.deep.include({
        origin: 'foreign',
        audiences: ['x', 'client'],
        issuers: [issuer],
        limits: { clockSkew: 10, maxAge: 300, maxLifetime: 3_600, once: true },
      })
      expect(processor).to.deep.include({ audiences: undefined, attributes: undefined, limits: { clockSkew: 30, once: false } })
    })
  })

  describe('refuses forged tokens', () => {
    it('with none, in every spelling', async () => {
      for (const alg of ['none', 'None', 'NONE', 'noNE', 'nOnE', ' none', 'none ', 'none\u0000', '', 'null']) {
        for (const signature of ['', 'AA', 'e30'])
          await refusal(processor, `${encode({ alg, kid: 'acme-1' })}.${encode(claims)}.${signature}`)
      }
      await refusal(processor, `${encode({ alg: 'none' })}.${encode(claims)}`)
    })

    it('signed by HMAC with the public key in any form', async () => {
      const { publicKey } = acmeRsa
      const forms = [
        publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        publicKey.export({ type: 'spki', format: 'pem' }).toString().trim(),
        publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
        publicKey.export({ type: 'spki', format: 'der' }),
        JSON.stringify(acmeRsa.jwk),
        '',
      ]
      for (const [alg, hash] of [
        ['HS256', 'sha256'],
        ['HS384', 'sha384'],
        ['HS512', 'sha512'],
        ['RS256', 'sha256'],
      ] as const) {
        for (const key of forms) {
          const input = `${encode({ alg, kid: 'acme-rsa' })}.${encode(claims)}`
          await refusal(processor, `${input}.${createHmac(hash, key).update(input).digest('base64url')}`)
        }
      }
    })

    it('signed by another key under the same kid', async () => {
      expect(await refusal(processor, await evil.sign({ kid: 'acme-1' }, claims))).to.match(/signature/)
    })

    it('with an algorithm that is not listed, whatever it is', async () => {
      const rs512 = foreignKey('RS512', 'acme-rsa')
      for (const alg of ['RS512', 'RS1', 'ES256K', 'HS256', 'es256', 'ES-256', 'ML-DSA-44', '__proto__', 'constructor']) {
        expect(await refusal(processor, await rs512.sign({ alg }, claims))).to.match(/algorithm/)
      }
    })

    it('with the algorithm of another key', async () => {
      expect(await refusal(processor, await acme.sign({ alg: 'RS256', kid: 'acme-1' }, claims))).to.match(/no key/)
      expect(await refusal(processor, await acme.sign({ alg: 'RS256', kid: 'acme-rsa' }, claims))).to.match(/signature/)
      expect(await refusal(processor, await foreignKey('PS256', 'acme-rsa').sign({}, claims))).to.match(/no key/)
    })

    it('with a key of their own in the header, without fetching anything', async () => {
      let asked = 0
      const server = createServer((_, response) => {
        asked++
        response.end(JSON.stringify({ keys: [evil.jwk] }))
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
      for (const header of [
        { jwk: evil.jwk },
        { jku: url },
        { x5u: url },
        { x5c: ['AAAA'] },
        { jku: url, kid: url },
        { kid: url },
        { jwk: evil.jwk, kid: undefined },
      ]) {
        await refusal(processor, await evil.sign(header, claims))
      }
      for (const iss of [url, `${url}#`, new URL(url).origin]) await refusal(processor, await evil.sign({ jku: url }, { ...claims, iss }))
      server.close()
      expect(asked).to.equal(0)
    })

    it('with a kid that would be a path, a query or a command', async () => {
      for (const kid of [
        '../../../../dev/null',
        '/dev/null',
        'file:///dev/null',
        "x' UNION SELECT 'AA",
        'k|whoami',
        'acme-1\u0000',
        '',
        '__proto__',
        'acme-1/../acme-1',
      ]) {
        await refusal(processor, await evil.sign({ kid }, claims))
        const input = `${encode({ alg: 'HS256', kid })}.${encode(claims)}`
        await refusal(processor, `${input}.${createHmac('sha256', '').update(input).digest('base64url')}`)
      }
    })

    it('with a signature of nothing (CVE-2022-21449)', async () => {
      const input = `${encode({ alg: 'ES256', kid: 'acme-1' })}.${encode(claims)}`
      for (const signature of [
        Buffer.alloc(64),
        Buffer.alloc(64, 0xff),
        Buffer.alloc(0),
        Buffer.alloc(1),
        Buffer.from('300602010002 0100'.replace(' ', ''), 'hex'),
      ]) {
        await refusal(processor, `${input}.${signature.toString('base64url')}`)
      }
    })

    it('by another issuer under this name, or under its own', async () => {
      const other = foreignKey('ES256', 'acme-1')
      const two = await processorOf(jwt, {
        issuers: [...file.issuers, { issuer: 'https://login.other.example', jwks: { keys: [other.jwk] } }],
      })
      expect(await prove(two, await other.sign({}, { ...claims, iss: 'https://login.other.example' }))).to.have.property(
        'issuer',
        'https://login.other.example',
      )
      expect(await refusal(two, await other.sign({}, claims))).to.match(/signature/)
      expect(await refusal(two, await acme.sign({}, { ...claims, iss: 'https://login.other.example' }))).to.match(/signature/)
    })

    it('from an issuer that is not named exactly so', async () => {
      for (const iss of [
        `${issuer}/`,
        issuer.toUpperCase(),
        `${issuer}:443`,
        `${issuer}\u0000`,
        ` ${issuer}`,
        'https://login.acme.example.evil',
        '__proto__',
        'toString',
        '',
        null,
        [issuer],
        { a: issuer },
        1,
      ]) {
        expect(await refusal(processor, await acme.sign({}, { ...claims, iss }))).to.match(/issuer/)
      }
      const { iss: _, ...without } = claims
      expect(await refusal(processor, await acme.sign({}, without))).to.match(/issuer/)
    })

    it('whatever of a good one is changed', async () => {
      const token = await acme.sign({ typ: 'JWT' }, claims)
      const [header = '', payload = '', signature = ''] = token.split('.')
      const parts = [header, payload, signature]
      await fc.assert(
        fc.asyncProperty(fc.nat(2), fc.nat(), fc.constantFrom(...'ABab01-_.=+'), async (part, at, character) => {
          const text = parts[part] ?? ''
          const changed = `${text.slice(0, at % text.length)}${character}${text.slice((at % text.length) + 1)}`
          if (changed === text) return
          await refusal(processor, parts.map((each, index) => (index === part ? changed : each)).join('.'))
        }),
        { numRuns: 1_000 },
      )
    })

    it('made of anything', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(fc.string(), fc.base64String(), fc.json().map(encode)), { maxLength: 6 }), async parts => {
          await refusal(processor, parts.join('.'))
        }),
        { numRuns: 500 },
      )
    })
  })

  describe('refuses what is not quite a JWT', () => {
    it('payloads', async () => {
      for (const payload of ['[]', '"alice"', '1', 'null', '', '{', '{} ', '{}{}', `{"iss":"${issuer}","iss":"${issuer}"}`, '\ufeff{}']) {
        await refusal(processor, await acme.sign({}, payload))
      }
      for (const text of [
        `{"iss":"${issuer}","sub":"alice","sub":"root","exp":${now}}`,
        `{"iss":"${issuer}","sub":"alice","exp":${now},"a":{"b":1,"b":2}}`,
        `{"iss":"${issuer}","sub":"alice","\\u0073ub":"root","exp":${now}}`,
      ]) {
        expect(await refusal(processor, await acme.sign({}, text))).to.match(/twice/)
      }
    })

    it('headers', async () => {
      for (const header of [
        { crit: ['exp'] },
        { crit: [] },
        { b64: false, crit: ['b64'] },
        { b64: true },
        { kid: 1 },
        { typ: 1 },
        '{"alg":"ES256","alg":"ES256","kid":"acme-1"}',
        '{"kid":"acme-1"}',
        '[]',
      ]) {
        await refusal(processor, await acme.sign(header, claims))
      }
    })

    it('what is too long, before it is looked at', async () => {
      expect(await refusal(processor, await acme.sign({}, { ...claims, x: 'x'.repeat(60_000) }))).to.match(/longer/)
    })

    it('the JSON serialization', async () => {
      const [protectedHeader, payload, signature] = (await acme.sign({}, claims)).split('.')
      await refusal(processor, JSON.stringify({ protected: protectedHeader, payload, signature }))
      await refusal(processor, JSON.stringify({ payload, signatures: [{ protected: protectedHeader, signature }] }))
    })
  })

  describe('types of token', () => {
    it('takes the usual ones, by default', async () => {
      for (const typ of [undefined, 'JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT', 'application/jwt'])
        await prove(processor, await acme.sign({ typ }, claims))
    })

    const others = [
      ...[
        'txntoken+jwt',
        'oauth-id-jag+jwt',
        'dpop+jwt',
        'client-authentication+jwt',
        'oauth-client-attestation+jwt',
        'oauth-client-attestation-pop+jwt',
      ],
      ...[
        'token-introspection+jwt',
        'logout+jwt',
        'secevent+jwt',
        'oauth-authz-req+jwt',
        'JOSE',
        'JOSE+JSON',
        'wit+jwt',
        'kb+jwt',
        'vc+sd-jwt',
        'anything',
        '',
      ],
    ]
    for (const typ of others) {
      it(`refuses ${typ || 'an empty one'}, in every form`, async () => {
        for (const form of [typ, `application/${typ}`, typ.toUpperCase()])
          expect(await refusal(processor, await acme.sign({ typ: form }, claims))).to.match(/type/)
      })
    }

    it('takes exactly those that the file names', async () => {
      const strict = await processorOf(jwt, { ...file, typ: ['application/at+JWT'] })
      await prove(strict, await acme.sign({ typ: 'at+jwt' }, claims))
      for (const typ of [undefined, 'JWT']) expect(await refusal(strict, await acme.sign({ typ }, claims))).to.match(/type/)
      await prove(await processorOf(jwt, { ...file, typ: ['txntoken+jwt'] }), await acme.sign({ typ: 'txntoken+jwt' }, claims))
      await prove(await processorOf(jwt, { ...file, typ: ['jwt'] }), await acme.sign({ typ: undefined }, claims))
    })
  })

  describe('claims', () => {
    const wrong: Array<[string, unknown[]]> = [
      ['sub', ['', 1, null, {}, ['alice'], true, '\ud800']],
      ['exp', ['1800000000', null, -1, 1e300, {}, true, now * 1000]],
      ['nbf', ['1', null, []]],
      ['iat', ['1', null, false]],
      ['auth_time', ['1']],
      ['aud', [1, null, {}, '', [1], ['a', null], [''], [['a']]]],
      ['jti', ['', 1, null]],
      ['scope', [1, null, {}, [1], ['a b'], ['']]],
      ['client_id', [1]],
      ['azp', [['a']]],
      ['acr', [1]],
      ['amr', ['pwd', [1]]],
      ['cnf', [null, 'x', [], 1]],
    ]
    for (const [name, values] of wrong) {
      it(`refuses a wrong ${name}`, async () => {
        for (const value of values) expect(await refusal(processor, await acme.sign({}, { ...claims, [name]: value }))).to.be.a('string')
      })
    }

    it('refuses an exp beyond all numbers', async () => {
      await refusal(processor, await acme.sign({}, `{"iss":"${issuer}","sub":"alice","exp":1e999}`))
    })

    it('demands sub and exp, and what the file requires', async () => {
      const { sub: _, ...withoutSub } = claims
      expect(await refusal(processor, await acme.sign({}, withoutSub))).to.match(/no sub/)
      const { exp: __, ...withoutExp } = claims
      expect(await refusal(processor, await acme.sign({}, withoutExp))).to.match(/no exp/)
      const stricter = await processorOf(jwt, { ...file, requiredClaims: ['email'] })
      for (const email of [undefined, null]) expect(await refusal(stricter, await acme.sign({}, { ...claims, email }))).to.match(/no email/)
      expect(await refusal(stricter, await acme.sign({}, { ...withoutExp, email: 'a@b' }))).to.match(/no exp/)
    })

    it('takes a token without exp only where the file says so, and then states none', async () => {
      const { processor: lenient, warnings } = await build(jwt, { ...file, expiry: 'optional' })
      const { exp: _, ...withoutExp } = claims
      expect(await prove(lenient ?? processor, await acme.sign({}, withoutExp))).not.to.have.property('expiresAt')
      expect(warnings).to.deep.equal(['no-expiry expiry'])
    })

    it('meets the schema of the file, and says where not without a quote of the token', async () => {
      const schema = {
        type: 'object',
        required: ['email', 'verified'],
        properties: { email: { type: 'string', format: 'email' }, verified: { const: true } },
      }
      const stricter = await processorOf(jwt, { ...file, claims: schema })
      await prove(stricter, await acme.sign({}, { ...claims, email: 'a@b.example', verified: true }))
      expect(await refusal(stricter, await acme.sign({}, { ...claims, email: 'evil secret', verified: true }))).to.match(
        /email must match format 'email'$/,
      )
      expect(await refusal(stricter, await acme.sign({}, { ...claims, email: 'a@b.example', verified: 'true' }))).to.match(
        /verified must be equal/,
      )
      expect(await refusal(stricter, await acme.sign({}, claims))).to.match(/required property 'email'/)
    })

    it('tells expressions what they may read', async () => {
      const { attributes } = await processorOf(jwt, {
        ...file,
        requiredClaims: ['jti'],
        claims: { type: 'object', required: ['email'], properties: { email: { type: 'string' }, aud: { type: 'string' } } },
      })
      expect(attributes?.required).to.have.members(['iss', 'sub', 'jti', 'exp', 'email'])
      expect(attributes?.properties).to.deep.include({
        email: { type: 'string' },
        aud: { type: 'array', items: { type: 'string' } },
        sub: { type: 'string' },
        exp: { type: 'number' },
      })
    })
  })

  describe('its file', () => {
    const problems = async (more: object) => (await build(jwt, { ...file, ...more })).problems

    it('is strict', async () => {
      expect(await problems({ audience: ['x'] })).to.deep.equal([': unknown member "audience"; did you mean "audiences"?'])
      for (const more of [
        { algorithms: ['HS256'] },
        { algorithms: ['none'] },
        { algorithms: [] },
        { audiences: [] },
        { typ: [] },
        { issuers: [] },
        { clockSkew: '1h' },
        { clockSkew: 30 },
        { maxAge: '0s' },
      ]) {
        expect(await problems(more), JSON.stringify(more)).to.have.length(1)
      }
    })

    it('needs issuers, each once, none of them this server, each with one source of keys', async () => {
      const jwks = { keys: [acme.jwk] }
      expect((await build(jwt, {})).problems).to.deep.equal(['issuers: is missing: whose tokens are taken'])
      expect(await problems({ issuers: [{ issuer: ownIssuer, jwks }] })).to.have.length(1)
      expect((await problems({ issuers: [{ issuer: ownIssuer, jwks }] }))[0]).to.match(/^issuers\.0\.issuer: .*access-token/)
      expect((await problems({ issuers: [...file.issuers, ...file.issuers] }))[0]).to.match(/^issuers\.1\.issuer: .*twice/)
      for (const source of [{}, { jwks, discovery: true }, { jwksUri: 'https://x.example/', jwks }]) {
        expect((await problems({ issuers: [{ issuer, ...source }] }))[0]).to.match(/exactly one of/)
      }
    })

    it('reports every key that cannot be used', async () => {
      const jwks = { keys: [acme.jwk, { kty: 'oct', k: 'AA' }, { ...acme.jwk, use: 'enc' }] }
      expect(await problems({ issuers: [{ issuer, jwks }] })).to.deep.equal([
        'issuers.0.jwks.keys.1: a symmetric key: whoever verifies with it can sign',
        'issuers.0.jwks.keys.2: its use is not sig',
      ])
    })

    it('takes keys from a file', async () => {
      const around = { texts: { 'acme.jwks': JSON.stringify({ keys: [acme.jwk] }), 'bad.jwks': '[]', 'odd.jwks': '{"keys":[1]}' } }
      const from = (name: string) => ({ issuers: [{ issuer, jwks: { file: name } }] })
      await prove(await processorOf(jwt, from('acme.jwks'), around), await acme.sign({}, claims))
      expect((await build(jwt, from('bad.jwks'), around)).problems).to.deep.equal([
        'issuers.0.jwks: is not a JWK Set: a JSON object with the member "keys"',
      ])
      expect((await build(jwt, from('odd.jwks'), around)).problems).to.deep.equal(['issuers.0.jwks: keys[0]: not a JSON object'])
    })

    it('judges addresses when it is loaded', async () => {
      const source = (more: object) => problems({ issuers: [{ issuer: 'http://127.0.0.1:9/', ...more }] })
      expect(await source({ jwksUri: 'http://login.acme.example/jwks' })).to.have.length(1)
      expect(await source({ jwksUri: 'https://10.0.0.1/jwks' })).to.deep.equal([
        'issuers.0.jwksUri: is in a private network; "allowPrivateNetwork": true beside it allows that',
      ])
      expect((await source({ discovery: true }))[0]).to.match(/^issuers\.0\.discovery: must be https/)
      expect(await source({ discovery: true, allowPrivateNetwork: true })).to.deep.equal([])
      expect((await build(jwt, { issuers: [{ issuer: 'spiffe://acme', discovery: true }] })).problems[0]).to.match(/no web address/)
      const { warnings } = await build(jwt, { issuers: [{ issuer, jwksUri: 'https://10.0.0.1/jwks', allowPrivateNetwork: true }] })
      expect(warnings).to.deep.equal(['private-network issuers.0.allowPrivateNetwork'])
    })
  })

  describe('keys from elsewhere', () => {
    it('come from discovery on a loopback host that is allowed', async () => {
      let asked = 0
      const server = createServer((request, response) => {
        asked++
        const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        response.end(JSON.stringify(request.url === '/jwks' ? { keys: [acme.jwk] } : { issuer: origin, jwks_uri: `${origin}/jwks` }))
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const remote = await processorOf(jwt, { issuers: [{ issuer: origin, discovery: true, allowPrivateNetwork: true }] })
      for (let index = 0; index < 3; index++)
        expect(await prove(remote, await acme.sign({}, { ...claims, iss: origin }))).to.have.property('issuer', origin)
      server.close()
      expect(asked).to.equal(2)
    })

    it('that cannot be had are an outage, not a bad token', async () => {
      const remote = await processorOf(
        jwt,
        { issuers: [{ issuer, jwksUri: 'https://login.acme.example/jwks' }] },
        { fetch: async () => Promise.reject(new Error('down')) },
      )
      const outcome = await prove(remote, await acme.sign({}, claims)).catch(error => error)
      expect(outcome).to.be.instanceOf(Outage)
    })

    it('are not asked for a token of another issuer or algorithm', async () => {
      let asked = 0
      const remote = await processorOf(
        jwt,
        { issuers: [{ issuer, jwksUri: 'https://login.acme.example/jwks' }] },
        {
          fetch: async () => {
            asked++
            throw new Error('down')
          },
        },
      )
      await refusal(remote, await evil.sign({}, { ...claims, iss: 'https://evil.example' }))
      await refusal(remote, await evil.sign({ alg: 'none' }, claims))
      expect(asked).to.equal(0)
    })
  })

  describe('encrypted tokens', () => {
    const keys: DecryptionKey[] = []
    let nested: TokenProcessor
    let publicKey: Awaited<ReturnType<typeof generateKey>>['publicJwk']

    before(async () => {
      for (const algorithm of ['RSA-OAEP-256', 'ECDH-ES'] as const) {
        const generated = await generateKey(algorithm)
        publicKey = generated.publicJwk
        const blueprint = keyFile.parse({ algorithm, status: 'active', privateKey: { file: 'x' } })
        const { decryption } = await blueprint.build({ id: algorithm, text: () => generated.privateKeyPem } as unknown as Parts)
        if (decryption !== undefined) keys.push(decryption)
      }
      nested = await processorOf(jwt, { ...file, decryptionKeys: ['enc'] }, { decryptionKeys: keys })
    })

    const encrypt = async (content: string, header: object = {}, to = publicKey) =>
      await new CompactEncrypt(Buffer.from(content))
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', ...header })
        .encrypt(to)

    it('are decrypted, and then proved as any other', async () => {
      const token = await acme.sign({}, claims)
      expect(await prove(nested, await encrypt(token))).to.have.property('subject', 'alice')
      expect(await prove(nested, await encrypt(token, { kid: publicKey.kid }))).to.have.property('subject', 'alice')
      expect(await prove(nested, token)).to.have.property('subject', 'alice')
    })

    it('prove nothing by being encrypted', async () => {
      for (const content of [
        JSON.stringify(claims),
        `${encode({ alg: 'none' })}.${encode(claims)}.`,
        await evil.sign({}, claims),
        await encrypt(await acme.sign({}, claims)),
        '',
        'x',
      ]) {
        await refusal(nested, await encrypt(content))
      }
    })

    it('are refused where they are changed, for somebody else, or by means that are not taken', async () => {
      const token = await acme.sign({}, claims)
      const good = await encrypt(token)
      const other = (await generateKey('ECDH-ES')).publicJwk
      for (const at of [0, 2, 3, 4]) {
        const parts = good.split('.')
        const text = parts[at] ?? ''
        parts[at] = `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`
        await refusal(nested, parts.join('.'))
      }
      expect(await refusal(nested, await encrypt(token, {}, other))).to.match(/could not be decrypted/)
      expect(await refusal(nested, await encrypt(token, { kid: 'unknown' }))).to.match(/not accepted/)
      const password = await new CompactEncrypt(Buffer.from(token))
        .setProtectedHeader({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM' })
        .encrypt(Buffer.from('x'.repeat(16)))
      expect(await refusal(nested, password)).to.match(/not accepted/)
      const direct = await new CompactEncrypt(Buffer.from(token))
        .setProtectedHeader({ alg: 'dir', enc: 'A128GCM' })
        .encrypt(Buffer.alloc(16))
      expect(await refusal(nested, direct)).to.match(/not accepted|not an encrypted/)
      const [, ...rest] = good.split('.')
      expect(await refusal(nested, [encode({ alg: 'ECDH-ES', enc: 'A256GCM', zip: 'DEF' }), ...rest].join('.'))).to.match(/compressed/)
      expect(await refusal(nested, [encode({ alg: 'RSA1_5', enc: 'A256GCM' }), ...rest].join('.'))).to.match(/not accepted/)
      expect(await refusal(nested, `${'A'.repeat(70_000)}.A.A.A.A`)).to.match(/longer/)
    })

    it('say by cty that they hold a JWT, or nothing', async () => {
      const token = await acme.sign({}, claims)
      for (const cty of ['JWT', 'jwt', 'application/jwt', undefined])
        expect(await prove(nested, await encrypt(token, { cty }))).to.have.property('subject', 'alice')
      for (const cty of ['text/plain', 'application/jwt+x', '', 7])
        expect(await refusal(nested, await encrypt(token, { cty }))).to.match(/cty/)
    })

    it('are not decrypted by a key for another algorithm, whatever the header says (RFC 8725 section 3.1)', async () => {
      const token = await acme.sign({}, claims)
      const { alg: _, ...forAnything } = publicKey
      for (const alg of ['ECDH-ES+A128KW', 'ECDH-ES+A256KW'])
        expect(await refusal(nested, await encrypt(token, { alg }, forAnything))).to.match(/not accepted/)
      // The kid of one key, the algorithm of the other.
      const [rsa] = keys
      expect(await refusal(nested, await encrypt(token, { kid: rsa?.kid }))).to.match(/not accepted/)
    })

    it('are not taken with contents that are not authenticated, or with many rounds of a password', async () => {
      const [, ...rest] = (await encrypt(await acme.sign({}, claims))).split('.')
      const withHeader = (header: object) => [encode({ alg: 'ECDH-ES', cty: 'JWT', ...header }), ...rest].join('.')
      for (const enc of ['A256CBC', 'none', 'A256GCMKW', undefined, 1])
        expect(await refusal(nested, withHeader({ enc }))).to.match(/content/)
      const rounds = { alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2 ** 31 - 1, p2s: 'AAAA' }
      expect(await refusal(nested, withHeader(rounds))).to.match(/not accepted/)
    })

    it('are refused with a point that is not on the curve', async () => {
      const good = await encrypt(await acme.sign({}, claims))
      const [header = '', ...rest] = good.split('.')
      const members = JSON.parse(Buffer.from(header, 'base64url').toString()) as { epk: { x: string; y: string } }
      for (const epk of [{ ...members.epk, y: members.epk.x }, { ...members.epk, x: 'AA', y: 'AA' }, 7, undefined])
        expect(await refusal(nested, [encode({ ...members, epk }), ...rest].join('.'))).to.match(/could not be decrypted/)
    })

    it('are refused where there is no key', async () => {
      expect(await refusal(processor, await encrypt(await acme.sign({}, claims)))).to.match(/encrypted/)
    })
  })
})
