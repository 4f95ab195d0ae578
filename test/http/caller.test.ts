import { expect } from 'chai'
import { authority, certify } from '../support/certificate-authority.ts'
import type { Files } from '../support/configuration.ts'
import { secretOf } from '../support/configuration.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { basic, encodeForm } from '../support/running-server.ts'
import { serverFor, type World } from '../support/world.ts'

const root = certify({ subject: '/O=Acme/CN=Root', extensions: authority })
const orders = certify({ subject: '/O=Acme/CN=orders', by: root })
const between = certify({ subject: '/O=Acme/CN=Between', extensions: authority, by: root })
const below = certify({ subject: '/O=Acme/CN=orders', by: between })
const forged = certify({ subject: '/O=Acme/CN=orders' })

const der = ({ certificate }: { certificate: string }) => certificate.replace(/-----[A-Z ]+-----|\s/g, '')
const structured = (certified: { certificate: string }) => `:${der(certified)}:`
const escaped = ({ certificate }: { certificate: string }) => encodeURIComponent(certificate)

function withProxies(files: Files, proxies: object): Files {
  const server = files['server.json'] as { listen: object }
  return {
    ...files,
    'server.json': { ...server, listen: { ...server.listen, proxies: { addresses: ['127.0.0.1', '10.0.0.0/8'], ...proxies } } },
    'secrets/root.crt.pem': root.certificate,
    ...('clientCertificate' in proxies && {
      'clients/orders.json': {
        authentication: { method: 'tls_client_auth', subjectDn: 'CN=orders,O=Acme' },
        tokenExchange: { enabled: true },
      },
    }),
  }
}

/** An exchange with these headers: of the client with a secret, or of the one that is known by a certificate. */
async function exchange(world: World, headers: Record<string, string>, client: 'gateway' | 'orders' = 'gateway') {
  const form = { grant_type: tokenExchange, subject_token: await world.person(), subject_token_type: types.jwt }
  const body = encodeForm(client === 'orders' ? { ...form, client_id: 'orders' } : form)
  const authorization = client === 'gateway' ? { authorization: basic('gateway', secretOf('gateway')) } : {}
  const media = { 'content-type': 'application/x-www-form-urlencoded' }
  const { status, text } = await world.server.postRaw('/token', body, { ...media, ...authorization, ...headers })
  return { status, text, record: world.lastRecord() }
}

describe('the address of a caller', () => {
  describe('behind proxies that say X-Forwarded-For', () => {
    const world = serverFor(files => withProxies(files, {}))
    const cases: Array<[header: string, address: string]> = [
      ['203.0.113.9', '203.0.113.9'],
      ['198.51.100.1, 203.0.113.9', '203.0.113.9'],
      ['198.51.100.1, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
      ['10.0.0.1, 10.0.0.2', '10.0.0.1'],
      ['nonsense, 203.0.113.9', '203.0.113.9'],
      ['203.0.113.9:4711', '203.0.113.9'],
      ['[2001:db8::1]:4711', '2001:db8::1'],
      ['2001:db8::1', '2001:db8::1'],
      ['::ffff:203.0.113.9', '203.0.113.9'],
      ['127.0.0.1, ::ffff:10.0.0.9', '127.0.0.1'],
    ]
    for (const [header, address] of cases) {
      it(`is ${address} in ${header}`, async () => {
        const { status, record } = await exchange(world, { 'x-forwarded-for': header })
        expect({ status, clientIp: record.clientIp }).to.deep.equal({ status: 200, clientIp: address })
        expect(record).not.to.have.property('ignoredHeaders')
      })
    }

    for (const header of ['unknown', '203.0.113.9, ', '203.0.113.9, 300.1.1.1', '', 'fe80::1%eth0', '_hidden']) {
      it(`is not guessed from ${JSON.stringify(header)}`, async () => {
        const { status, text, record } = await exchange(world, { 'x-forwarded-for': header })
        expect(status, text).to.equal(400)
        expect(record.refusal).to.include({ reason: 'malformed-request', setting: 'server.json listen.proxies' })
      })
    }

    it('is that of the proxy where it says nothing', async () => {
      expect((await exchange(world, {})).record.clientIp).to.equal('127.0.0.1')
    })

    it('is not taken from the other header, which has come through', async () => {
      const { record } = await exchange(world, { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=198.51.100.1' })
      expect(record).to.deep.include({ clientIp: '203.0.113.9', ignoredHeaders: ['forwarded'] })
    })
  })

  describe('behind proxies that say Forwarded (RFC 7239)', () => {
    // The client has sent what stands before the last comma, and a proxy that quotes has added the rest.
    const quoteOfClient = 'for=198.51.100.1;by=", for="[2001:db8::9]:4711"'
    const world = serverFor(files => withProxies(files, { clientAddress: 'Forwarded' }))
    const cases: Array<[header: string, address: string]> = [
      ['for=203.0.113.9', '203.0.113.9'],
      ['For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
      ['for=198.51.100.1;proto=https, for=203.0.113.9;by=10.0.0.3', '203.0.113.9'],
      ['for="198.51.100.1, for=1.2.3.4", for=203.0.113.9, for=10.0.0.1', '203.0.113.9'],
    ]
    for (const [header, address] of cases) {
      it(`is ${address} in ${header}`, async () => expect((await exchange(world, { forwarded: header })).record.clientIp).to.equal(address))
    }
    for (const header of [
      'for=unknown',
      'proto=https',
      'for=1.2.3.4;for=5.6.7.8',
      'for=_x',
      'for="1.2.3.4',
      quoteOfClient,
      'host=";for=1.2.3.4;"',
    ]) {
      it(`is not guessed from ${header}`, async () => expect((await exchange(world, { forwarded: header })).status).to.equal(400))
    }
  })

  describe('that is no proxy', () => {
    const world = serverFor(files =>
      withProxies(files, { addresses: ['10.0.0.0/8'], clientCertificate: { trustAnchors: [{ file: 'secrets/root.crt.pem' }] } }),
    )

    it('is its own, whatever it says; what it says is recorded and counted', async () => {
      const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'client-cert': structured(orders) }
      const { status, record } = await exchange(world, headers)
      expect(status).to.equal(200)
      expect(record).to.deep.include({ clientIp: '127.0.0.1', ignoredHeaders: ['x-forwarded-for', 'forwarded', 'client-cert'] })
      expect((await world.server.request('GET', '/metrics')).text).to.include('cambist_ignored_headers_total{header="client-cert"} 1')
    })

    it('authenticates nobody by a header', async () => {
      expect((await exchange(world, { 'client-cert': structured(orders) }, 'orders')).status).to.equal(401)
    })
  })
})

describe('the certificate that a proxy hands on', () => {
  const trustAnchors = [{ file: 'secrets/root.crt.pem' }]
  const forms: Array<[header: string, good: Record<string, string>, bad: string[]]> = [
    [
      'Client-Cert',
      { 'client-cert': structured(orders) },
      [der(orders), `${structured(orders)}, ${structured(orders)}`, ':AAAA:', escaped(orders), `${structured(orders)};a=1`],
    ],
    ['Client-Cert', { 'client-cert': structured(below), 'client-cert-chain': `${structured(root)}, ${structured(between)}` }, []],
    [
      'X-SSL-Client-Cert',
      { 'x-ssl-client-cert': escaped(orders) },
      [`${escaped(orders)}, `, `${escaped(orders)}, ${escaped(forged)}`, escaped(orders) + escaped(forged), '%zz', structured(orders)],
    ],
    ['X-Client-Certificate', { 'x-client-certificate': der(orders) }, [`${der(orders)},${der(orders)}`]],
    [
      'X-Forwarded-Client-Cert',
      { 'x-forwarded-client-cert': `Hash=abc;Cert="${escaped(orders)}";Subject="O=Acme,CN=a\\"b";URI=` },
      [
        `Cert="${escaped(orders)}",Cert="${escaped(forged)}"`,
        `Cert="${escaped(orders)}";Cert="${escaped(forged)}"`,
        'Hash=abc',
        escaped(orders),
      ],
    ],
    ['X-Forwarded-Client-Cert', { 'x-forwarded-client-cert': `Cert="${escaped(below)}";Chain="${escaped(below)}${escaped(between)}"` }, []],
  ]
  for (const [header, good, bad] of forms) {
    describe(`in ${JSON.stringify(Object.keys(good))}`, () => {
      const world = serverFor(files => withProxies(files, { clientCertificate: { header, trustAnchors } }))

      it('authenticates a client', async () => {
        const { status, text } = await exchange(world, good, 'orders')
        expect(status, text).to.equal(200)
      })
      it('is held against our own trust anchors', async () => {
        const [name = '', value = ''] = Object.entries(good)[0] ?? []
        const swapped = value.replaceAll(der(orders), der(forged)).replaceAll(escaped(orders), escaped(forged))
        if (swapped === value) return
        const { status, record } = await exchange(world, { [name]: swapped }, 'orders')
        expect(status).to.equal(401)
        expect(record.refusal).to.include({ cause: 'its chain does not lead to a trusted authority' })
      })
      it('may be absent', async () => {
        const [name = ''] = Object.keys(good)
        expect((await exchange(world, {})).status).to.equal(200)
        expect((await exchange(world, { [name]: '' })).status).to.equal(200)
      })
      it('is not taken from any other header', async () => {
        const others = { 'client-cert': structured(orders), 'x-ssl-client-cert': escaped(orders) }
        const [name = ''] = Object.keys(good)
        const forgedOnly = Object.fromEntries(Object.entries(others).filter(([other]) => other !== name))
        const { status, record } = await exchange(world, forgedOnly, 'orders')
        expect(status).to.equal(401)
        expect(record.ignoredHeaders).to.deep.equal(Object.keys(forgedOnly))
      })
      for (const [index, value] of bad.entries()) {
        it(`refuses what is malformed or there twice (${index + 1})`, async () => {
          const { status, record } = await exchange(world, { [Object.keys(good)[0] ?? '']: value }, 'orders')
          expect(status).to.equal(400)
          expect(record.refusal).to.include({ reason: 'malformed-request' })
        })
      }
    })
  }
})
