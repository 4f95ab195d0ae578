import { hash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { authority, type Certified, certify } from '../support/certificate-authority.ts'
import { issuer } from '../support/configuration.ts'
import { sendByTls } from '../support/https.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { serverFor } from '../support/world.ts'
import { serverAuthority, serverCertificate, withTls } from '../tls/tls-world.ts'
import { requireProgram, run } from './tools.ts'

const root = certify({ subject: '/O=Acme/CN=Root', extensions: authority })
const orders = certify({ subject: '/C=CH/O=Acme/CN=orders', by: root })
const stranger = certify({ subject: '/C=CH/O=Acme/CN=orders' })
const mtlsAddress = 'https://mtls.sts.example.com'

/** `x5t#S256` (RFC 8705 §3.1) of a certificate. */
function thumbprintOf({ certificate }: Certified): string {
  return hash('sha256', Buffer.from(certificate.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64'), 'buffer').toString('base64url')
}

describe('mutual TLS by the programs that clients use', () => {
  const at = serverFor(files => {
    const secure = withTls(files, serverCertificate(), { clientCertificates: { trustAnchors: [{ file: 'secrets/root.crt.pem' }] } })
    const server = secure['server.json'] as { listen: object }
    return {
      ...secure,
      'server.json': { ...server, listen: { ...server.listen, mtlsAddress } },
      'clients/orders.json': {
        authentication: { method: 'tls_client_auth', subjectDn: 'CN=orders,O=Acme,C=CH' },
        tokenExchange: { enabled: true, binding: 'mtls' },
        scopes: ['orders.read'],
      },
      'secrets/root.crt.pem': root.certificate,
    }
  })

  const parameters = async () => ({ subject_token: await at.person(), subject_token_type: types.jwt })

  /** `fetch` for the libraries: the name of the server is in no DNS, and `fetch` itself takes no certificate. */
  const fetchAs =
    (as: Certified | undefined, seen: string[]) =>
    async (url: string, { method, headers, body }: openid.CustomFetchOptions) => {
      const { origin, pathname } = new URL(url)
      seen.push(origin)
      if (method === 'POST') at.server.countExchange()
      const text = body === null || body === undefined ? undefined : String(body)
      return sendByTls(`${at.server.url}${pathname}`, { method, headers, body: text, as })
    }

  function expectBound(token: string): void {
    expect(decodeJwt(token).cnf).to.deep.equal({ 'x5t#S256': thumbprintOf(orders) })
  }

  it('oauth4webapi finds the address for mutual TLS, and gets a token that is bound to its certificate', async () => {
    const seen: string[] = []
    const options = { [oauth.customFetch]: fetchAs(orders, seen) as never }
    const server = new URL(issuer)
    const as = await oauth.processDiscoveryResponse(server, await oauth.discoveryRequest(server, { ...options, algorithm: 'oauth2' }))
    const client: oauth.Client = { client_id: 'orders', use_mtls_endpoint_aliases: true }
    const response = await oauth.genericTokenEndpointRequest(as, client, oauth.TlsClientAuth(), tokenExchange, await parameters(), options)
    expectBound((await oauth.processGenericTokenEndpointResponse(as, client, response)).access_token)
    expect(seen).to.deep.equal([issuer, mtlsAddress])
  })

  it('openid-client does the same', async () => {
    const seen: string[] = []
    const metadata = { use_mtls_endpoint_aliases: true }
    const configuration = await openid.discovery(new URL(issuer), 'orders', metadata, openid.TlsClientAuth(), {
      algorithm: 'oauth2',
      [openid.customFetch]: fetchAs(orders, seen),
    })
    const { access_token } = await openid.genericGrantRequest(configuration, tokenExchange, await parameters())
    expectBound(access_token)
    expect(seen).to.deep.equal([issuer, mtlsAddress])
  })

  describe('curl', () => {
    let folder: string
    before(async function () {
      requireProgram(this, 'curl', ['--version'], 'CAMBIST_REQUIRE_CURL')
      folder = await mkdtemp(join(tmpdir(), 'cambist-mtls-'))
      await writeFile(join(folder, 'servers.pem'), serverAuthority.certificate)
      for (const [name, { certificate, privateKey }] of Object.entries({ orders, stranger }))
        await writeFile(join(folder, `${name}.pem`), certificate + privateKey)
    })
    after(async () => {
      if (folder !== undefined) await rm(folder, { recursive: true })
    })

    async function curl(...args: string[]) {
      const { port } = new URL(at.server.url)
      const form = { grant_type: tokenExchange, client_id: 'orders', ...(await parameters()) }
      const data = Object.entries(form).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`])
      const server = ['--cacert', join(folder, 'servers.pem'), '--resolve', `sts.example.com:${port}:127.0.0.1`]
      at.server.countExchange()
      const { code, out, complaints } = await run('curl', ['-sS', ...server, ...args, ...data, `https://sts.example.com:${port}/token`])
      expect(code, complaints).to.equal(0)
      return JSON.parse(out) as Record<string, unknown>
    }

    it('with the certificate, which is verified as ours is', async () =>
      expectBound(String((await curl('--cert', join(folder, 'orders.pem'))).access_token)))

    for (const [what, args] of [
      ['without one', () => []],
      ['with the same name from nobody', () => ['--cert', join(folder, 'stranger.pem')]],
    ] as const) {
      it(`${what} is refused`, async () => expect(await curl(...args())).to.include({ error: 'invalid_client' }))
    }
  })
})
