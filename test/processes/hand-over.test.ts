import { once } from 'node:events'
import { readdir, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { ChangingServer } from '../reload/changing-server.ts'
import { until } from '../stores/until.ts'

describe('a connection that is handed to a worker', function () {
  this.timeout(120_000)
  let server: ChangingServer
  afterEach(() => server?.end())

  /** Sends a request; resolves once connected, to how it ends. */
  async function send() {
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined)
    await once(socket, 'connect')
    socket.resume().write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    return { end: new Promise(resolve => socket.once('close', resolve)) }
  }

  /** How many sockets the first process has open. Files come and go: it looks into the folder of its configuration. */
  async function openInFirst(): Promise<number> {
    const folder = `/proc/${server.process.pid}/fd`
    const opened = await Promise.all((await readdir(folder)).map(name => readlink(join(folder, name)).catch(() => '')))
    return opened.filter(what => what.startsWith('socket:')).length
  }

  it('is closed when the worker dies before it takes it, so that its client can try again', async () => {
    server = await ChangingServer.start({}, 2)
    const { serving } = server.process
    const atRest = await openInFirst()
    for (const worker of serving) process.kill(worker, 'SIGSTOP')
    const sent = await Promise.all(Array.from({ length: 6 }, send))
    await until('all of them are in the first process', async () => (await openInFirst()) >= atRest + sent.length)
    for (const worker of serving) process.kill(worker, 'SIGKILL')
    await Promise.all(sent.map(({ end }) => end))
    for (const _ of serving) await server.process.logged('listening')
    expect((await server.exchange()).status).to.equal(200)
    expect((await fetch(`http://127.0.0.1:${server.port}/metrics`, { headers: { connection: 'close' } })).status).to.equal(200)
    await until('nothing of them is left', async () => (await openInFirst()) <= atRest)
    expect(await server.process.stop()).to.equal(0)
  })
})
