import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { makeSigner } from '../saml/forge.ts'
import { authority, type Certified, certify } from '../support/certificate-authority.ts'
import { type Files, patched } from '../support/configuration.ts'
import { answered, ask, assertionFor, assertionIn, faulted, passwordOf, trustServerFor, userName } from './asking.ts'

const root = certify({ subject: '/O=Acme/CN=Root', extensions: authority })
const other = certify({ subject: '/O=Other/CN=Root', extensions: authority })
const caller = certify({ subject: '/O=Acme/CN=app', by: root })
const device = certify({
  subject: '/O=Acme/CN=device 7',
  by: other,
  extensions: ['extendedKeyUsage=clientAuth', 'subjectAltName=DNS:device-7.example,IP:2001:db8::7'],
})

/** As the proxy before the server under test hands it on. */
const as = ({ certificate }: Certified) => ({ 'client-cert': `:${certificate.replace(/-----[A-Z ]+-----|\s/g, '')}:` })

function withCertificates(files: Files): Files {
  const server = files['server.json'] as { listen: object }
  const clientCertificate = { trustAnchors: [{ file: 'secrets/root.crt.pem' }] }
  const wsTrust = (...connections: string[]) => ({ wsTrust: { enabled: true, connections } })
  const whole = patched(files, { 'clients/gateway.json': wsTrust('devices') })
  const authentication = (cn: string) => ({ method: 'tls_client_auth', subjectDn: `CN=${cn},O=Acme` })
  return {
    ...whole,
    'server.json': { ...server, listen: { ...server.listen, proxies: { addresses: ['127.0.0.1'], clientCertificate } } },
    'clients/app.json': { authentication: authentication('app'), ...wsTrust('users', 'partner', 'devices') },
    'clients/twin.json': { authentication: authentication('twins'), ...wsTrust('users') },
    'clients/other-twin.json': { authentication: authentication('twins'), ...wsTrust('users') },
    'clients/exchanging.json': { authentication: authentication('exchanging'), tokenExchange: { enabled: true } },
    'policies/token-processors/devices.json': { type: 'x509', issuer: 'urn:devices', trustAnchors: [{ file: 'secrets/other.crt.pem' }] },
    'policies/idp-connections/devices.json': {
      ...(whole['policies/idp-connections/users.json'] as object),
      entityId: 'urn:devices',
      tokenProcessor: 'devices',
      attributes: { TOKEN_SUBJECT: 'assertion.subjectDn', email: "assertion.san.dns[0] + ' ' + assertion.san.ip[0]" },
    },
    'secrets/root.crt.pem': root.certificate,
    'secrets/other.crt.pem': other.certificate,
  }
}

// The certificates are made now, and the assertions for another day.
const outside = { clock: () => Date.now() / 1000 }

describe('callers of WS-Trust that are known by certificates', () => {
  const at = trustServerFor(makeSigner(), withCertificates, outside)
  const users = { path: '/sts/users', client: undefined, holder: 'none' } as const
  const user = userName('alice', passwordOf('alice'))

  it('may bring a UsernameToken as the token', async () => {
    await answered(at, { ...users, security: user, http: as(caller) })
    expect(at.lastRecord()).to.deep.include({ client: 'app', subject: { iss: 'urn:users', sub: 'alice' } })
  })

  it('whoever has a certificate that names no client goes on using a password', async () => {
    await answered(at, { path: '/sts/devices', client: undefined, holder: 'none', security: userName('gateway'), http: as(device) })
    expect(at.lastRecord()).to.include({ client: 'gateway' })
  })

  it('are refused when nobody, or more than one, or none that may use WS-Trust is named', async () => {
    for (const cn of ['nobody', 'twins', 'exchanging']) {
      const named = certify({ subject: `/O=Acme/CN=${cn}`, by: root })
      await faulted(at, { ...users, http: as(named) }, 'wsse:FailedAuthentication')
      expect((at.lastRecord().refusal as { cause: string }).cause).to.match(/client.* that may use WS-Trust ha/)
    }
    await faulted(at, { ...users, http: as(certify({ subject: '/O=Acme/CN=app', by: other })) }, 'wsse:FailedAuthentication')
  })

  it('may not bring a DPoP proof, to which nothing would be bound', async () => {
    await faulted(at, { ...users, security: user, http: { ...as(caller), dpop: 'a.b.c' } }, 'wst:RequestFailed')
    expect(at.lastRecord().refusal).to.include({ reason: 'dpop-proof-refused' })
  })

  it('may not use connections of others', async () => {
    const { text } = await ask(at, { ...users, path: '/sts/people', security: user, http: as(caller) })
    expect(text).to.include('no such connection')
  })
})

describe('callers of WS-Trust beside one whose certificates cannot be fetched', () => {
  const fetched = { method: 'self_signed_tls_client_auth', jwksUri: 'https://127.0.0.1:1/jwks', allowPrivateNetwork: true }
  const at = trustServerFor(
    makeSigner(),
    files => ({
      ...withCertificates(files),
      'clients/fetched.json': { authentication: fetched, wsTrust: { enabled: true, connections: ['users'] } },
    }),
    outside,
  )
  const users = { path: '/sts/users', client: undefined, holder: 'none', security: userName('alice', passwordOf('alice')) } as const

  it('are known as ever, and nobody is called a stranger who may be that one', async () => {
    await answered(at, { ...users, http: as(caller) })
    expect(at.lastRecord()).to.include({ client: 'app' })
    await ask(at, { ...users, http: as(certify({ subject: '/O=Acme/CN=nobody', by: root })) })
    expect(at.lastRecord()).to.include({ outcome: 'unavailable' })
  })

  it('go on using a password, with a certificate that is for something else', async () => {
    const asked = { path: '/sts/devices', client: undefined, holder: 'none', http: as(device) } as const
    await answered(at, { ...asked, security: userName('gateway') })
    expect(at.lastRecord()).to.include({ client: 'gateway', outcome: 'issued' })
    await ask(at, { ...asked, security: userName('gateway', 'guessed') })
    expect(at.lastRecord()).to.include({ outcome: 'unavailable' })
  })
})

describe('callers of WS-Trust beside one that publishes the certificate of another', () => {
  const x5c = [caller.certificate.replace(/-----[A-Z ]+-----|\s/g, '')]
  const server = createServer((_, response) => response.end(JSON.stringify({ keys: [{ kty: 'EC', x5c }] })))
  let jwksUri = ''
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  })
  after(() => server.close())
  const claiming = (files: Files) => ({
    ...withCertificates(files),
    'clients/claiming.json': {
      authentication: { method: 'self_signed_tls_client_auth', jwksUri, allowPrivateNetwork: true },
      wsTrust: { enabled: true, connections: ['users'] },
    },
  })
  const at = trustServerFor(makeSigner(), claiming, outside)

  it('are known as who they are', async () => {
    const user = { client: undefined, holder: 'none', security: userName('alice', passwordOf('alice')) } as const
    await answered(at, { path: '/sts/users', ...user, http: as(caller) })
    expect(at.lastRecord()).to.include({ client: 'app' })
  })
})

describe('the certificate of a connection as the token (x509)', () => {
  const at = trustServerFor(makeSigner(), withCertificates, outside)
  const devices = { path: '/sts/devices', holder: 'none' } as const

  it('says who its subject is', async () => {
    const assertion = assertionIn(await answered(at, { ...devices, http: as(device) }))
    expect(assertion).to.include('<saml:NameID>CN=device 7,O=Acme</saml:NameID>')
    expect(at.lastRecord()).to.deep.include({ client: 'gateway', subject: { iss: 'urn:devices', sub: 'CN=device 7,O=Acme' } })
  })

  it('is refused where it names nobody', async () => {
    const nameless = certify({ subject: '/', by: other, extensions: ['subjectAltName=critical,URI:spiffe://acme.example/orders'] })
    const { text } = await faulted(at, { ...devices, http: as(nameless) }, 'wst:FailedAuthentication')
    expect(text).to.include('the client certificate has no name that is its subject here')
    expect(at.lastRecord().refusal).to.include({ setting: 'policies/token-processors/devices.json subject' })
  })

  it('is refused from another authority, after its end, and where there is none', async () => {
    await faulted(at, { ...devices, http: as(caller) }, 'wst:FailedAuthentication')
    expect(at.lastRecord().refusal).to.include({ setting: 'policies/token-processors/devices.json trustAnchors' })
    expect((await ask(at, devices)).text).to.include('the request has no token')
    expect((await ask(at, { ...devices, path: '/sts/users', client: undefined, http: as(caller) })).text).to.include('as a UsernameToken')
    at.server.advance(31 * 86_400)
    await faulted(at, { ...devices, http: as(device) }, 'wst:FailedAuthentication')
  })

  it('is not taken beside another token', async () => {
    const subject = assertionFor(makeSigner())
    expect((await ask(at, { path: '/sts/devices', subject, http: as(device) })).text).to.include('as the certificate of the TLS connection')
  })
})

describe('the certificate of a connection as the token (x509), whose subject is an alternative name', () => {
  const changed = (files: Files) =>
    patched(withCertificates(files), {
      'policies/token-processors/devices.json': { subject: 'sanUri' },
      'policies/idp-connections/devices.json': { attributes: { TOKEN_SUBJECT: 'assertion.san.uri[0]' } },
    })
  const at = trustServerFor(makeSigner(), changed, outside)
  const devices = { path: '/sts/devices', holder: 'none' } as const
  const named = (names: string, subject = '/') => as(certify({ subject, by: other, extensions: [`subjectAltName=${names}`] }))

  it('says who it is, also without a name of its own', async () => {
    await answered(at, { ...devices, http: named('critical,URI:spiffe://acme.example/orders,DNS:a.example,IP:10.0.0.1') })
    expect(at.lastRecord()).to.deep.include({ subject: { iss: 'urn:devices', sub: 'spiffe://acme.example/orders' } })
  })

  it('is refused without such a name, and with two', async () => {
    for (const [names, many] of [
      ['DNS:a.example', 'no name'],
      ['URI:spiffe://acme.example/orders,URI:spiffe://acme.example/admin', 'more than one name'],
    ] as const) {
      const { text } = await faulted(at, { ...devices, http: named(names, '/O=Acme/CN=orders') }, 'wst:FailedAuthentication')
      expect(text).to.include(`the client certificate has ${many}`)
    }
  })
})
