import { createPrivateKey } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { compactDecrypt, importPKCS8, type JWK } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { type GeneratedKey, generateKey } from '../../src/keys/generate-key.ts'
import { type Files, issuer, patched, secretOf } from '../support/configuration.ts'
import { serverFor } from '../support/world.ts'
import { requireProgram, run } from './tools.ts'

const python = '/usr/bin/python3'

/** The usual server, which encrypts for `reader` and decrypts what is sent to `inbox` and `curve`. */
function encrypting(files: Files, reader: GeneratedKey, inboxes: Record<string, GeneratedKey>): Files {
  const encryption = { jwks: { keys: [reader.publicJwk] }, keyEncryption: reader.algorithm }
  return patched(files, {
    'server.json': { introspection: { signingKey: 'api' } },
    'policies/access-token-managers/api.json': { encryption },
    'policies/token-processors/people.json': { decryptionKeys: Object.keys(inboxes) },
    'clients/api.json': { introspection: { encryption } },
    ...Object.fromEntries(
      Object.entries(inboxes).flatMap(([id, { algorithm, privateKeyPem }]) => [
        [`keys/${id}.json`, { algorithm, status: 'active', privateKey: { file: `secrets/${id}.pem` } }],
        [`secrets/${id}.pem`, privateKeyPem],
      ]),
    ),
  })
}

function jwkOf(pem: string): JWK {
  return createPrivateKey(pem).export({ format: 'jwk' }) as JWK
}

describe('encrypted tokens and Authlib', function () {
  this.timeout(60_000)
  before(function () {
    requireProgram(this, python, ['-c', 'import authlib.jose'], 'CAMBIST_REQUIRE_PYTHON')
  })
  let inboxes: Record<string, GeneratedKey>
  let reader: GeneratedKey
  const at = serverFor(async files => {
    inboxes = { inbox: await generateKey('RSA-OAEP-256'), curve: await generateKey('ECDH-ES+A256KW') }
    reader = await generateKey('ECDH-ES+A128KW')
    return encrypting(files, reader, inboxes)
  })

  async function converse(order: object): Promise<Record<string, unknown>> {
    const { code, out, complaints } = await run(python, [join(import.meta.dirname, 'jose_tool.py')], JSON.stringify(order))
    expect(code, complaints).to.equal(0)
    return JSON.parse(out)
  }

  const jwks = async () => (await at.server.request('GET', '/jwks')).json

  const ways = [
    ['inbox', 'A128GCM'],
    ['inbox', 'A256GCM'],
    ['inbox', 'A128CBC-HS256'],
    ['curve', 'A256GCM'],
    ['curve', 'A128CBC-HS256'],
  ] as const
  for (const [id, enc] of ways) {
    it(`we take what it encrypts for "${id}" with ${enc}, if it is signed`, async () => {
      const { algorithm: alg, publicJwk: key } = inboxes[id] ?? expect.fail()
      const encrypted = async (content: string, more: object = {}) => {
        const { token } = await converse({ do: 'encrypt', header: { alg, enc, cty: 'JWT', ...more }, content, key })
        return String(token)
      }
      const signed = await at.person()
      const answer = await at.exchange({ subject_token: await encrypted(signed), audience: 'billing' })
      expect(answer.status, answer.text).to.equal(200)
      const claims = Buffer.from(signed.split('.')[1] ?? '', 'base64url').toString()
      await at.refused({ subject_token: await encrypted(claims) }, 'invalid_request', /not a signed JWT/)
      if (enc === 'A256GCM') await at.refused({ subject_token: await encrypted(signed, { zip: 'DEF' }) }, 'invalid_request', /compressed/)
    })
  }

  it('it opens and verifies our access tokens', async () => {
    const answer = await at.exchange({ audience: 'api' })
    const order = { do: 'decrypt', token: answer.json.access_token, key: jwkOf(reader.privateKeyPem), jwks: await jwks() }
    const { header, signedHeader, claims } = await converse(order)
    expect(header).to.include({ alg: 'ECDH-ES+A128KW', enc: 'A256GCM', cty: 'JWT', kid: reader.kid })
    expect(signedHeader).to.include({ typ: 'at+jwt' })
    expect(claims).to.include({ iss: issuer, sub: 'alice', aud: 'https://api.example.com' })
  })

  it('it opens and verifies our answers of introspection', async () => {
    const { json } = await at.exchange({ audience: 'api' })
    const { text } = await at.server.post('/introspect', { token: String(json.access_token) }, 'api')
    const { signedHeader, claims } = await converse({ do: 'decrypt', token: text, key: jwkOf(reader.privateKeyPem), jwks: await jwks() })
    expect(signedHeader).to.include({ typ: 'token-introspection+jwt' })
    expect(claims).to.include({ iss: issuer, aud: 'api' })
    expect((claims as { token_introspection: object }).token_introspection).to.include({ active: true, sub: 'alice' })
  })
})

describe('signed and encrypted introspection', () => {
  let reader: GeneratedKey
  const at = serverFor(async files => {
    reader = await generateKey('RSA-OAEP-256')
    return encrypting(files, reader, { inbox: await generateKey('RSA-OAEP-256') })
  })
  const metadata = async () => {
    const { json } = await at.server.request('GET', '/.well-known/oauth-authorization-server')
    return json as unknown as oauth.AuthorizationServer
  }
  /** The server is elsewhere than its issuer says. */
  const there = (url: string, options: object) => fetch(url.replace(issuer, at.server.url), options)
  const tokenFor = async (audience: string) => String((await at.exchange({ audience })).json.access_token)

  it('oauth4webapi asks for a signed answer, and verifies it', async () => {
    const as = await metadata()
    const client: oauth.Client = { client_id: 'gateway', introspection_signed_response_alg: 'ES256' }
    const auth = oauth.ClientSecretBasic(secretOf('gateway'))
    const response = await oauth.introspectionRequest(as, client, auth, await tokenFor('api'), { [oauth.customFetch]: there })
    expect(response.headers.get('content-type')).to.equal('application/token-introspection+jwt')
    const answer = await oauth.processIntrospectionResponse(as, client, response)
    await oauth.validateApplicationLevelSignature(as, response, { [oauth.customFetch]: there })
    // The token is for the API, not for the client that it was issued to.
    expect(answer).to.deep.equal({ active: false })
  })

  it('oauth4webapi decrypts an encrypted one', async () => {
    const as = await metadata()
    const client: oauth.Client = { client_id: 'api', introspection_signed_response_alg: 'ES256' }
    const key = createPrivateKey(reader.privateKeyPem)
    const decrypting = { [oauth.jweDecrypt]: async (jwe: string) => Buffer.from((await compactDecrypt(jwe, key)).plaintext).toString() }
    const auth = oauth.ClientSecretBasic(secretOf('api'))
    const response = await oauth.introspectionRequest(as, client, auth, await tokenFor('api'), { [oauth.customFetch]: there })
    const answer = await oauth.processIntrospectionResponse(as, client, response, decrypting)
    await oauth.validateApplicationLevelSignature(as, response, { [oauth.customFetch]: there })
    expect(answer).to.include({ active: true, sub: 'alice', client_id: 'gateway' })
  })

  it('openid-client decrypts, verifies and checks it for whom it is', async () => {
    const metadataOfClient = { introspection_signed_response_alg: 'ES256', client_secret: secretOf('api') }
    const server = (await metadata()) as openid.ServerMetadata
    const config = new openid.Configuration(server, 'api', metadataOfClient, openid.ClientSecretBasic(secretOf('api')))
    config[openid.customFetch] = there as openid.CustomFetch
    const key = await importPKCS8(reader.privateKeyPem, 'RSA-OAEP-256')
    openid.enableDecryptingResponses(config, ['A256GCM'], { key, alg: 'RSA-OAEP-256', kid: reader.kid })
    openid.enableNonRepudiationChecks(config)
    expect(await openid.tokenIntrospection(config, await tokenFor('api'))).to.include({ active: true, sub: 'alice' })
    expect(await openid.tokenIntrospection(config, 'unknown')).to.deep.equal({ active: false })
  })
})
