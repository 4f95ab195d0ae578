import { expect } from 'chai'
import { authority, certify } from '../support/certificate-authority.ts'
import { serverAuthority, serverCertificate } from '../tls/tls-world.ts'
import { problemsOf, replaced, warningsOf, wholeConfiguration } from './configuration.ts'

const root = certify({ subject: '/O=Acme/CN=Root', extensions: authority, days: 300 })
const shown = serverCertificate()
const tls = '"tls": { "certificate": { "file": "secrets/tls.crt.pem" }, "privateKey": { "file": "secrets/tls.pem" }'
const anchors = '"trustAnchors": [{ "file": "secrets/root.crt.pem" }]'
const proxies = (members: string) => `"proxies": { "addresses": ["10.0.0.0/8"], ${members} }`
const orders = '{ "authentication": { "method": "tls_client_auth", "subjectDn": "CN=orders" } }'

describe('mistakes in what is listened with', () => {
  let whole: Record<string, string>
  before(async () => {
    whole = await wholeConfiguration()
  })

  const withListen = (members: string, more: Record<string, string> = {}) => ({
    ...whole,
    'server.json': replaced(whole['server.json'] ?? '', '"port": 3000', `"port": 3000, ${members}`),
    'secrets/tls.crt.pem': shown.certificate + serverAuthority.certificate,
    'secrets/tls.pem': shown.privateKey,
    'secrets/other.pem': root.privateKey,
    'secrets/root.crt.pem': root.certificate,
    'secrets/client.crt.pem': shown.certificate,
    ...more,
  })

  it('are none in proxies on this machine and in a network', async () => {
    const members = '"proxies": { "addresses": ["127.0.0.0/8", "::1/128", "::1", "fd00::/8", "2001:db8::/32"] }'
    expect(await warningsOf(withListen(members))).to.deep.equal([])
  })

  it('are none where all of it is right', async () => {
    const files = withListen(`${tls}, "clientCertificates": { ${anchors} } }`, { 'clients/orders.json': orders })
    expect(await warningsOf(files)).to.deep.equal([])
  })

  const problems: Array<[members: string, line: RegExp, more?: Record<string, string>]> = [
    [
      `${tls.replace('secrets/tls.pem', 'secrets/other.pem')} }`,
      /^server\.json:\d+:\d+ listen\.tls\.privateKey: is the key of another certificate/,
    ],
    [`${tls}, "clientCertificates": { "request": "required" } }`, /listen\.tls\.clientCertificates\.trustAnchors: is missing/],
    [`${tls}, "clientCertificates": { "trustAnchors": [{ "file": "secrets/client.crt.pem" }] } }`, /trustAnchors\[0\]: .* is no authority/],
    ['"proxies": { "addresses": ["10.0.0.7/8"] }', /listen\.proxies\.addresses\[0\]: .*; write "10\.0\.0\.0\/8", or the address alone/],
    ['"proxies": { "addresses": ["proxy.example"] }', /addresses\[0\]: expected an address or a network/],
    ['"proxies": { "addresses": ["fd00::1/64"] }', /write "fd00::\/64"/],
    ['"proxies": { "addresses": ["::ffff:0:0/96"] }', /has addresses of IPv4 in it; write those as "10\.0\.0\.0\/24"/],
    ['"proxies": { "addresses": ["::/64"] }', /has addresses of IPv4 in it/],
    ['"mtlsAddress": "https://mtls.example"', /listen\.mtlsAddress: no certificate of a client ever comes here/],
    [`${tls} }`, /^clients\/orders\.json:1:\d+ authentication\.method: server\.json has neither/, { 'clients/orders.json': orders }],
    [
      `${tls}, "clientCertificates": {} }`,
      /clients\/orders\.json.*nobody is trusted to certify this client/,
      { 'clients/orders.json': orders },
    ],
    [
      proxies(`"clientCertificate": { ${anchors} }`),
      /clients\/orders\.json.*authentication: expected exactly one of "subjectDn"/,
      { 'clients/orders.json': orders.replace('"subjectDn"', '"sanDns": "x.example", "subjectDn"') },
    ],
  ]
  for (const [members, line, more] of problems) {
    it(`${members.slice(0, 90)}: ${line}`, async () => {
      const lines = await problemsOf(withListen(members, more))
      expect(
        lines.filter(each => line.test(each)),
        lines.join('\n'),
      ).to.have.length(1)
    })
  }

  const warnings: Array<[members: string, line: RegExp]> = [
    [proxies('"clientCertificate": {}'), /listen\.proxies\.clientCertificate: .* \[proxy-judges-certificates\]$/],
    ['"proxies": { "addresses": ["0.0.0.0/0"] }', /listen\.proxies\.addresses\[0\]: .* \[everybody-is-a-proxy\]$/],
  ]
  for (const [members, line] of warnings) {
    it(`${members} is warned of`, async () => {
      const lines = await warningsOf(withListen(members))
      expect(lines).to.have.length(1)
      expect(lines[0]).to.match(line)
    })
  }
})
