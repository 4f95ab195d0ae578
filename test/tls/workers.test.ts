import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { expect } from 'chai'
import { Scraped } from '../observe/metrics/scraped.ts'
import { until } from '../stores/until.ts'
import { type Files, makeIssuers, usualFiles, writeFiles } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { sendByTls } from '../support/https.ts'
import { type ServerProcess, startProcess } from '../support/server-process.ts'
import { serverAuthority, serverCertificate, withTls } from './tls-world.ts'

describe('TLS of several workers', function () {
  this.timeout(120_000)
  const first = serverCertificate('localhost')
  let port: number
  let folder: string
  let remove: () => Promise<void>
  let server: ServerProcess

  before(async () => {
    port = await freePort()
    const files = withTls(await usualFiles(await makeIssuers()), first)
    const settings = files['server.json'] as { listen: object }
    const changes = { issuer: `https://localhost:${port}`, store: { type: 'embedded', path: 'data' }, workers: 2 }
    const whole: Files = { ...files, 'server.json': { ...settings, ...changes, listen: { ...settings.listen, port } } }
    ;({ folder, remove } = await writeFiles(whole))
    server = await startProcess(folder, { workers: 2 })
  })
  after(async () => {
    await server?.kill()
    await remove?.()
  })

  /** Connects and asks; a full handshake gives a session. */
  async function visit(session?: Buffer): Promise<{ session: Buffer | undefined; reused: boolean; fingerprint: string }> {
    const ca = serverAuthority.certificate
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ...(session && { session }) })
    let given: Buffer | undefined
    socket.on('session', (each: Buffer) => {
      given = each
    })
    await once(socket, 'secureConnect')
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    // The tickets come before the answer.
    await once(socket, 'data')
    const seen = { session: given, reused: socket.isSessionReused(), fingerprint: socket.getPeerCertificate().fingerprint256 }
    socket.destroy()
    return seen
  }

  /** When the worker that is the last to hear of a configuration says that it was loaded. */
  async function loadedAt(): Promise<number> {
    const metrics = await sendByTls(`https://localhost:${port}/metrics`, { method: 'GET' })
    return new Scraped(await metrics.text()).value('cambist_configuration_loaded_timestamp_seconds') ?? Number.NaN
  }

  it('a session that one of them has given is resumed by each', async () => {
    const { session, reused } = await visit()
    expect(reused).to.equal(false)
    for (let times = 0; times < 6; times++) expect((await visit(session)).reused, `time ${times}`).to.equal(true)
  })

  it('all of them show a new certificate at once, and none a pair that does not fit', async () => {
    const before = await visit()
    const started = await loadedAt()
    const second = serverCertificate('localhost')
    await writeFile(join(folder, 'secrets/tls.crt.pem'), second.certificate + serverAuthority.certificate)
    await writeFile(join(folder, 'secrets/tls.pem'), second.privateKey)
    await server.logged('configuration reloaded')
    // The first process says so when it has told all of them; each does it when it hears of it.
    await until('all of them serve it', async () => (await loadedAt()) > started)
    const seen = new Set<string>()
    for (let times = 0; times < 6; times++) seen.add((await visit()).fingerprint)
    expect(seen.size).to.equal(1)
    expect(seen.has(before.fingerprint)).to.equal(false)
    const ready = await sendByTls(`https://localhost:${port}/readyz`, { method: 'GET' })
    expect(await ready.json())
      .to.include({ status: 'ready' })
      .and.not.to.have.property('needsRestart')

    await writeFile(join(folder, 'secrets/tls.pem'), first.privateKey)
    await server.logged('configuration not reloaded; the last good one serves on')
    expect(server.lines.join('\n')).to.include('listen.tls.privateKey: is the key of another certificate than \\"certificate\\"')
    expect(seen.has((await visit()).fingerprint)).to.equal(true)
  })

  it('stops although handshakes are under way', async () => {
    const { connect: connectPlainly } = await import('node:net')
    const idle = connectPlainly(port, '127.0.0.1')
    idle.on('error', () => undefined)
    await once(idle, 'connect')
    expect(await server.stop()).to.equal(0)
  })
})
