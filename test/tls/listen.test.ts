import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { expect } from 'chai'
import { requireProgram } from '../interop/tools.ts'
import { until } from '../stores/until.ts'
import { authority, certify } from '../support/certificate-authority.ts'
import { serverFor } from '../support/world.ts'
import { sClient, serverAuthority, serverCertificate, withTls } from './tls-world.ts'

describe('listening by TLS', () => {
  const certified = serverCertificate()
  const world = serverFor(files => withTls(files, certified))
  before(function () {
    requireProgram(this, 'openssl', ['version'], 'CAMBIST_REQUIRE_OPENSSL')
  })

  it('answers everything by it, and nothing by plain http', async () => {
    expect(world.server.url).to.match(/^https:/)
    for (const path of ['/healthz', '/metrics', '/jwks']) expect((await world.server.request('GET', path)).status, path).to.equal(200)
    await world.issued()
    const plain = await fetch(world.server.url.replace('https:', 'http:')).catch(error => error)
    expect(plain).to.be.instanceOf(Error)
  })

  const { hostname, port } = { hostname: '127.0.0.1', port: () => Number(new URL(world.server.url).port) }
  async function connected(options: object): Promise<TLSSocket> {
    const socket = connectTls({ host: hostname, port: port(), servername: 'sts.example.com', ca: serverAuthority.certificate, ...options })
    await once(socket, 'secureConnect')
    return socket
  }

  it('shows a certificate that clients verify, by TLS 1.3 and 1.2', async () => {
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      const socket = await connected({ minVersion: version, maxVersion: version })
      expect([socket.authorized, socket.getProtocol()]).to.deep.equal([true, version])
      socket.destroy()
    }
  })

  it('TLS 1.1 and ciphers without forward secrecy are refused', async () => {
    for (const args of [
      ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
      ['-tls1_2', '-cipher', 'AES128-GCM-SHA256:AES128-SHA:@SECLEVEL=0'],
    ]) {
      expect(await sClient(world.server.url, args, 'Q\n'), args[0]).to.match(/alert (protocol version|handshake failure)/)
    }
  })

  it('speaks HTTP/1.1 only (ALPN)', async () => {
    const socket = await connected({ ALPNProtocols: ['h2', 'http/1.1'] })
    expect(socket.alpnProtocol).to.equal('http/1.1')
    socket.destroy()
    const refused = connectTls({ host: hostname, port: port(), rejectUnauthorized: false, ALPNProtocols: ['smtp'] })
    const [error] = await once(refused, 'error')
    expect(String(error)).to.match(/no application protocol/i)
  })

  it('nobody renegotiates', async () => {
    const socket = await connected({ maxVersion: 'TLSv1.2' })
    const refused = new Promise<Error>(resolve => {
      socket.on('error', resolve)
      socket.renegotiate({}, error => error && resolve(error))
    })
    expect(await refused).to.be.instanceOf(Error)
    socket.destroy()
  })

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`sessions are resumed: ${version}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'cambist-session-'))
      try {
        const session = join(folder, 'session')
        const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
        expect(await sClient(world.server.url, [version, '-sess_out', session, '-ign_eof'], request)).to.match(/^New, /m)
        expect(await sClient(world.server.url, [version, '-sess_in', session, '-ign_eof'], request)).to.match(/^Reused, /m)
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  }
})

describe('listening by TLS, to clients with certificates', () => {
  const root = certify({ subject: '/O=Acme/CN=Root', extensions: authority })
  const client = certify({ subject: '/O=Acme/CN=orders', by: root })
  const trustAnchors = [{ file: 'secrets/root.crt.pem' }]
  const world = serverFor(files => ({
    ...withTls(files, serverCertificate(), { clientCertificates: { trustAnchors } }),
    'secrets/root.crt.pem': root.certificate,
  }))
  before(function () {
    requireProgram(this, 'openssl', ['version'], 'CAMBIST_REQUIRE_OPENSSL')
  })

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`no session brings the certificate of an earlier connection: ${version}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'cambist-session-'))
      try {
        const [session, certificate, key] = ['session', 'crt.pem', 'key.pem'].map(name => join(folder, name)) as [string, string, string]
        await writeFile(certificate, client.certificate)
        await writeFile(key, client.privateKey)
        const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
        const first = [version, '-cert', certificate, '-key', key, '-sess_out', session, '-ign_eof']
        expect(await sClient(world.server.url, first, request)).to.match(/^New, /m)
        const again = (await stat(session).catch(() => undefined)) === undefined ? [] : ['-sess_in', session]
        const said = await sClient(world.server.url, [version, ...again, '-ign_eof'], request)
        expect(said)
          .to.match(/^New, /m)
          .and.not.match(/^Reused, /m)
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  }
})

describe('listening by TLS, to those who are slow', () => {
  const world = serverFor(files => withTls(files, serverCertificate()), { tls: { handshakeTimeout: 300 } })

  it('a handshake that does not end is cut off', async () => {
    const socket = connect(Number(new URL(world.server.url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(Buffer.of(0x16, 0x03, 0x01))
    await once(socket, 'close')
    // Whoever is as slow as this machine may be cut off, too.
    const answers = () => world.server.request('GET', '/healthz').catch(() => undefined)
    await until('others are served', async () => (await answers())?.status === 200)
  })
})
