import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect } from 'chai'
import { ChangingServer } from '../reload/changing-server.ts'
import { until } from '../stores/until.ts'

describe('SIGTERM', function () {
  this.timeout(120_000)
  let server: ChangingServer
  const sockets: Socket[] = []
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await server?.end()
  })

  /** A request whose body is still to come: it is in flight as long as the test likes. */
  async function halfARequest() {
    const socket = connect(server.port, '127.0.0.1')
    sockets.push(socket)
    let text = ''
    socket.on('data', data => {
      text += data.toString()
    })
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    socket.write(
      'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n',
    )
    // Its headers have been read.
    await until('it is under way', () => text.includes('100 Continue'))
    return { finish: () => socket.write('grant_type=x'), answer: async () => (await closed) && text }
  }

  for (const workers of [1, 2]) {
    it(`lets a request in flight finish, and ends with 0, with workers: ${workers}`, async () => {
      server = await ChangingServer.start({}, workers)
      const request = await halfARequest()
      const ended = server.process.stop()
      for (let worker = 0; worker < workers; worker++) await server.process.logged('stopping')
      request.finish()
      expect(await request.answer()).to.match(/HTTP\/1\.1 401 .*Connection: close/s)
      expect(await ended).to.equal(0)
    })

    it(`cuts off at the deadline what does not finish, with workers: ${workers}`, async () => {
      server = await ChangingServer.start({ 'server.json': { shutdown: { deadline: '1s' } } }, workers)
      const request = await halfARequest()
      expect(await server.process.stop()).to.equal(0)
      expect(await request.answer()).to.not.match(/HTTP\/1\.1 [2-5]/)
      await server.expectLogged('requests were cut off that had not ended before the deadline', 1)
    })
  }

  it('tells load balancers first, as long as the delay lasts, and serves on', async () => {
    server = await ChangingServer.start({ 'server.json': { shutdown: { delay: '1h' } } })
    void server.process.stop()
    await server.process.logged('stopping')
    const ready = await server.ready()
    expect(ready.status).to.equal(503)
    expect(ready.json.status).to.equal('stopping')
    expect((await server.exchange()).status).to.equal(200)
  })

  it('ends it by itself after the delay', async () => {
    server = await ChangingServer.start({ 'server.json': { shutdown: { delay: '2s' } } })
    const began = performance.now()
    expect(await server.process.stop()).to.equal(0)
    expect(performance.now() - began).to.be.at.least(1_990)
  })

  for (const workers of [1, 2]) {
    it(`a second one ends it at once, with workers: ${workers}`, async () => {
      server = await ChangingServer.start({ 'server.json': { shutdown: { deadline: '1h' } } }, workers)
      await halfARequest()
      const ended = server.process.stop()
      await server.process.logged('stopping')
      void server.process.stop()
      expect(await ended).to.equal(1)
    })
  }

  it('to all processes at once, as from a terminal or from systemd, is one for each', async () => {
    server = await ChangingServer.start({}, 2)
    const request = await halfARequest()
    process.kill(-server.process.pid, 'SIGTERM')
    await server.process.logged('stopping')
    await server.process.logged('stopping')
    request.finish()
    expect(await request.answer()).to.match(/HTTP\/1\.1 40\d /)
    expect(await server.process.ended).to.equal(0)
  })
})
