import { expect } from 'chai'
import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { secretOf } from '../support/configuration.ts'
import { grant, type Partners, startPartners, types } from './partners.ts'

const insecure = { [oauth.allowInsecureRequests]: true }

describe('DPoP by the libraries that clients use, at a server that wants nonces', () => {
  let partners: Partners
  before(async () => {
    partners = await startPartners(files => ({
      ...files,
      'server.json': { ...(files['server.json'] as object), dpop: { nonce: 'required' } },
    }))
  })
  after(() => partners?.stop())

  const subject = async () => ({ subject_token: await partners.people.sign(), subject_token_type: types.jwt })

  describe('oauth4webapi', () => {
    const client: oauth.Client = { client_id: 'gateway' }
    const discover = async () => {
      const issuer = new URL(partners.issuer)
      return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }))
    }

    for (const algorithm of ['ES256', 'PS256', 'Ed25519']) {
      it(`proves a key of ${algorithm}, learns the nonce from the refusal, and an API that it validates for takes the token`, async () => {
        const as = await discover()
        expect(as.dpop_signing_alg_values_supported).to.include(algorithm)
        const keys = await oauth.generateKeyPair(algorithm, { extractable: true })
        const handle = oauth.DPoP(client, keys)
        const ask = async (parameters: Record<string, string>) => {
          const auth = oauth.ClientSecretBasic(secretOf('gateway'))
          const options = { ...insecure, DPoP: handle }
          return oauth.processGenericTokenEndpointResponse(
            as,
            client,
            await oauth.genericTokenEndpointRequest(as, client, auth, grant, new URLSearchParams(parameters), options),
          )
        }
        const first = await ask(await subject()).catch(error => error)
        expect(oauth.isDPoPNonceError(first), String(first)).to.equal(true)
        const answer = await ask(await subject())
        expect(answer.token_type).to.equal('dpop')
        expect(decodeJwt(answer.access_token).cnf).to.deep.equal({ jkt: await handle.calculateThumbprint() })

        // Again, now with the bound token: neither is a second retry needed, nor does the key change.
        const again = await ask({ subject_token: answer.access_token, subject_token_type: types.accessToken })
        expect(again.token_type).to.equal('dpop')

        const request = await provenRequest('https://api.example.com/orders', again.access_token, keys, algorithm)
        const claims = await oauth.validateJwtAccessToken(as, request, 'https://api.example.com', { ...insecure, requireDPoP: true })
        expect(claims).to.include({ sub: 'alice', client_id: 'gateway' })
      })
    }
  })

  it('openid-client proves a key and retries with the nonce by itself', async () => {
    const config = await openid.discovery(new URL(partners.issuer), 'poster', secretOf('poster'), undefined, {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    })
    const handle = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const ask = (parameters: Record<string, string>) => openid.genericGrantRequest(config, grant, parameters, { DPoP: handle })
    const answer = await ask(await subject())
    expect(answer.token_type).to.equal('dpop')
    const again = await ask({ subject_token: answer.access_token, subject_token_type: types.accessToken })
    expect(decodeJwt(again.access_token).cnf).to.deep.equal({ jkt: await handle.calculateThumbprint() })

    const stolen = await openid
      .genericGrantRequest(config, grant, { subject_token: answer.access_token, subject_token_type: types.accessToken })
      .catch(error => error)
    expect(stolen).to.include({ error: 'invalid_request' })
  })
})

/** The request to an API, with a proof over the token, as RFC 9449 §7 wants it. */
async function provenRequest(url: string, token: string, keys: CryptoKeyPair, algorithm: string): Promise<Request> {
  const { exportJWK, SignJWT } = await import('jose')
  const digest = await crypto.subtle.digest('SHA-256', Buffer.from(token))
  const claims = { jti: crypto.randomUUID(), htm: 'GET', htu: url, ath: Buffer.from(digest).toString('base64url') }
  const proof = await new SignJWT(claims)
    .setIssuedAt()
    .setProtectedHeader({ typ: 'dpop+jwt', alg: algorithm, jwk: await exportJWK(keys.publicKey) })
    .sign(keys.privateKey)
  return new Request(url, { headers: { authorization: `DPoP ${token}`, dpop: proof } })
}
