import { expect } from 'chai'
import { Holder, tokenEndpoint } from '../dpop/holder.ts'
import { authority, type Certified, certify, forClients } from '../support/certificate-authority.ts'
import type { Files } from '../support/configuration.ts'
import { sendByTls } from '../support/https.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { encodeForm, type Parameters } from '../support/running-server.ts'
import { serverFor, type World } from '../support/world.ts'
import { serverCertificate, withTls } from './tls-world.ts'

const root = certify({ subject: '/O=Acme/CN=Root', extensions: authority })
const partner = certify({ subject: '/O=Partner/CN=Root', extensions: authority })
const san = (...names: string[]) => [...forClients, `subjectAltName=${names.join(',')}`]
const by = { by: root }

const orders = certify({ subject: '/C=CH/O=Acme/CN=orders', ...by })
const selfSigned = certify({ subject: '/CN=anybody', extensions: ['basicConstraints=critical,CA:TRUE'] })
const renewed = certify({ subject: '/CN=anybody' })
const between = certify({ subject: '/O=Acme/CN=Between', extensions: authority, ...by })
const below = certify({ subject: '/CN=below', by: between })

const clients: Record<string, object> = {
  orders: { method: 'tls_client_auth', subjectDn: 'CN=orders,O=Acme,C=CH' },
  below: { method: 'tls_client_auth', subjectDn: 'CN=below' },
  dns: { method: 'tls_client_auth', sanDns: 'Orders.acme.example' },
  uri: { method: 'tls_client_auth', sanUri: 'spiffe://acme.example/orders' },
  ip: { method: 'tls_client_auth', sanIp: '2001:db8::7' },
  email: { method: 'tls_client_auth', sanEmail: 'orders@acme.example' },
  foreign: { method: 'tls_client_auth', subjectDn: 'CN=foreign', trustAnchors: [{ file: 'secrets/partner.crt.pem' }] },
  registered: {
    method: 'self_signed_tls_client_auth',
    certificates: [{ file: 'secrets/registered.crt.pem' }, { file: 'secrets/renewed.crt.pem' }],
  },
  jwks: {
    method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ kty: 'EC', x5c: [selfSigned.certificate.replace(/-----[A-Z ]+-----|\s/g, '')] }] },
  },
}

function withClients(files: Files, tls: object = {}): Files {
  const client = (authentication: object, binding = 'optional') => ({
    authentication,
    tokenExchange: { enabled: true, binding },
    scopes: ['orders.read'],
  })
  const named = Object.entries(clients).map(([id, authentication]) => [`clients/${id}.json`, client(authentication)])
  const clientCertificates = { trustAnchors: [{ file: 'secrets/root.crt.pem' }] }
  return {
    ...withTls(files, serverCertificate(), { clientCertificates, ...tls }),
    ...Object.fromEntries(named),
    'clients/bound.json': client({ method: 'tls_client_auth', subjectDn: 'CN=orders,O=Acme,C=CH' }, 'mtls'),
    'secrets/root.crt.pem': root.certificate,
    'secrets/partner.crt.pem': partner.certificate,
    'secrets/registered.crt.pem': selfSigned.certificate,
    'secrets/renewed.crt.pem': renewed.certificate,
  }
}

async function exchange(world: World, as: Certified | undefined, parameters: Parameters, more: Record<string, string> = {}) {
  const body = encodeForm({
    grant_type: tokenExchange,
    subject_token: await world.person(),
    subject_token_type: types.jwt,
    ...parameters,
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...more }
  return world.server.request('POST', '/token', body, headers, as)
}

describe('clients that are known by certificates', () => {
  const world = serverFor(files => {
    const whole = withClients(files)
    const server = whole['server.json'] as { listen: object }
    return { ...whole, 'server.json': { ...server, listen: { ...server.listen, mtlsAddress: 'https://mtls.sts.example.com' } } }
  })

  const good: Array<[id: string, Certified]> = [
    ['orders', orders],
    ['below', { ...below, certificate: below.certificate + between.certificate }],
    ['dns', certify({ subject: '/CN=x', extensions: san('DNS:a.example', 'DNS:orders.acme.example'), ...by })],
    ['uri', certify({ subject: '/CN=x', extensions: san('URI:spiffe://acme.example/orders', 'DNS:x.example'), ...by })],
    ['ip', certify({ subject: '/CN=x', extensions: san('IP:2001:db8:0::7'), ...by })],
    ['email', certify({ subject: '/CN=x', extensions: san('email:orders@ACME.example'), ...by })],
    ['foreign', certify({ subject: '/CN=foreign', by: partner })],
    ['registered', selfSigned],
    ['registered', renewed],
    ['jwks', selfSigned],
  ]
  for (const [id, certificate] of good) {
    it(`${id} authenticates`, async () => {
      const { status, json } = await exchange(world, certificate, { client_id: id })
      expect(status, JSON.stringify(json)).to.equal(200)
      expect(world.lastRecord().client).to.equal(id)
    })
  }

  it('may prove a DPoP key for either address of the endpoint, and for no third', async () => {
    const holder = await Holder.make()
    const addressed = async (htu: string) =>
      exchange(world, orders, { client_id: 'orders' }, { dpop: await holder.proof(world.server.now(), { htu }) })
    for (const htu of ['https://mtls.sts.example.com/token', tokenEndpoint])
      expect((await addressed(htu)).json).to.include({ token_type: 'DPoP' })
    expect((await addressed('https://other.sts.example.com/token')).json).to.include({ error: 'invalid_dpop_proof' })
  })

  const refused: Array<[what: string, id: string | undefined, () => Certified | undefined, RegExp, object?]> = [
    ['no certificate', 'orders', () => undefined, /no credentials/],
    ['no client_id', undefined, () => orders, /without client_id/],
    ['a client that does not exist', 'nobody', () => orders, /no client has this id/],
    ['the certificate of another client', 'dns', () => orders, /names another client/],
    ['a name that looks alike', 'orders', () => certify({ subject: '/CN=orders,O=Acme,C=CH', ...by }), /names another client/],
    ['the name in another order', 'orders', () => certify({ subject: '/CN=orders/O=Acme/C=CH', ...by }), /names another client/],
    ['the name, self-signed', 'orders', () => certify({ subject: '/C=CH/O=Acme/CN=orders' }), /does not lead to a trusted/],
    [
      'the name, from the authority of another client',
      'orders',
      () => certify({ subject: '/C=CH/O=Acme/CN=orders', by: partner }),
      /does not lead to a trusted/,
    ],
    ['the name, from the authority of the server', 'foreign', () => certify({ subject: '/CN=foreign', ...by }), /does not lead/],
    ['a chain that is not whole', 'below', () => below, /does not lead/],
    [
      'a certificate for servers',
      'orders',
      () => certify({ subject: '/C=CH/O=Acme/CN=orders', extensions: ['extendedKeyUsage=serverAuth'], ...by }),
      /no clientAuth/,
    ],
    [
      'the certificate of an authority',
      'orders',
      () => certify({ subject: '/C=CH/O=Acme/CN=orders', extensions: authority, ...by }),
      /of an authority/,
    ],
    [
      'a zero in a name',
      'dns',
      () => certify({ subject: '/CN=x', extensions: san('DNS:orders.acme.example.evil.example'), ...by }),
      /names another client/,
    ],
    [
      'a second URI beside a SPIFFE ID',
      'uri',
      () => certify({ subject: '/CN=x', extensions: san('URI:spiffe://acme.example/orders', 'URI:spiffe://acme.example/admin'), ...by }),
      /more URIs than its SPIFFE ID/,
    ],
    ['a DNS name in the subject only', 'dns', () => certify({ subject: '/CN=orders.acme.example', ...by }), /names another client/],
    ['another certificate of the same name and no authority', 'registered', () => certify({ subject: '/CN=anybody' }), /none of those/],
    ['a client with a secret', 'gateway', () => orders, /another method than certificates/],
  ]
  for (const [what, id, certificate, why] of refused) {
    it(`are refused with ${what}`, async () => {
      const { status, json } = await exchange(world, certificate(), { client_id: id })
      expect({ status, error: json.error, text: json.error_description }).to.deep.equal({
        status: 401,
        error: 'invalid_client',
        text: 'the client could not be authenticated',
      })
      expect(String((world.lastRecord().refusal as Record<string, unknown>).cause)).to.match(why)
    })
  }

  it('are refused with a secret beside it, which is another method', async () => {
    const { json } = await exchange(world, orders, { client_id: 'orders', client_secret: 'x'.repeat(40) })
    expect(json.error).to.equal('invalid_client')
    const { status } = await exchange(world, orders, { client_id: 'gateway', client_secret: 'x'.repeat(40) })
    expect(status).to.equal(401)
  })

  it('learn from the metadata that they are taken', async () => {
    const { json } = await world.server.request('GET', '/.well-known/oauth-authorization-server')
    expect(json).to.include({ tls_client_certificate_bound_access_tokens: true })
    expect(json.token_endpoint_auth_methods_supported).to.include.members(['tls_client_auth', 'self_signed_tls_client_auth'])
    expect(json.mtls_endpoint_aliases).to.deep.equal({
      token_endpoint: 'https://mtls.sts.example.com/token',
      introspection_endpoint: 'https://mtls.sts.example.com/introspect',
      revocation_endpoint: 'https://mtls.sts.example.com/revoke',
    })
  })

  it('have their tokens bound to the certificate, which another one cannot use', async () => {
    const { status, json } = await exchange(world, orders, { client_id: 'bound' })
    expect(status, JSON.stringify(json)).to.equal(200)
    const token = String(json.access_token)
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    expect(claims.cnf['x5t#S256']).to.match(/^[A-Za-z0-9_-]{43}$/)
    expect(json.token_type).to.equal('Bearer')
    const again = { client_id: 'bound', subject_token: token, subject_token_type: types.accessToken }
    expect((await exchange(world, orders, again)).status).to.equal(200)
    const stolen = certify({ subject: '/C=CH/O=Acme/CN=orders', ...by })
    expect((await exchange(world, stolen, again)).json.error_description).to.match(/proves another one/)
  })

  it('have to bring a certificate that is good now', async () => {
    world.server.advance(31 * 86_400)
    const expired = await exchange(world, orders, { client_id: 'orders' })
    expect([expired.status, (world.lastRecord().refusal as { cause: string }).cause]).to.deep.equal([401, 'the certificate has expired'])
    expect((await exchange(world, selfSigned, { client_id: 'registered' })).status).to.equal(401)
  })
})

describe('a listener that requires certificates', () => {
  const world = serverFor(files => {
    const whole = withClients(files, { clientCertificates: { request: 'required', trustAnchors: [{ file: 'secrets/root.crt.pem' }] } })
    return Object.fromEntries(Object.entries(whole).filter(([name]) => !/clients\/(foreign|registered|jwks)/.test(name)))
  })

  it('lets in those whom its authorities have certified, and nobody else', async () => {
    const ask = (as?: Certified) =>
      sendByTls(`${world.server.url}/healthz`, { method: 'GET', as }).then(
        ({ status }) => status,
        () => 'no',
      )
    expect(await ask(orders)).to.equal(200)
    for (const other of [undefined, selfSigned, certify({ subject: '/CN=x', by: partner })]) expect(await ask(other)).to.equal('no')
  })
})
