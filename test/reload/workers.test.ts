import { expect } from 'chai'
import { until } from '../stores/until.ts'
import { ChangingServer } from './changing-server.ts'

const refused = 'configuration not reloaded; the last good one serves on'
const managerFile = 'policies/access-token-managers/api.json'

describe('reload of several workers', function () {
  this.timeout(120_000)
  let server: ChangingServer
  afterEach(() => server?.end())

  it('changes all of them, and a mistake none', async () => {
    server = await ChangingServer.start({}, 2)
    await server.write(managerFile, { ...(await server.read(managerFile)), audience: ['https://new.example'] })
    await server.reloaded()
    await server.eachTime(8, async () => expect((await server.issued()).aud).to.equal('https://new.example'))
    const { version } = (await server.ready()).json
    await server.write(managerFile, { ...(await server.read(managerFile)), audience: 7 })
    await server.process.logged(refused)
    await until('every worker says so', () => server.areAll(8, ({ json }) => json.reload !== undefined))
    await server.eachTime(4, async () => {
      expect((await server.issued()).aud).to.equal('https://new.example')
      expect((await server.ready()).json).to.include({ status: 'ready', version })
    })
    // The first process looks into the folder for all.
    await server.expectLogged(refused, 1)
    process.kill(server.process.pid, 'SIGHUP')
    await server.process.logged(refused)
  })

  it('gives a worker that dies a successor on the configuration of the others, whatever the folder says meanwhile', async () => {
    server = await ChangingServer.start({}, 2)
    await server.write(managerFile, { ...(await server.read(managerFile)), audience: ['https://new.example'] })
    const settings = await server.read('server.json')
    // The successor takes its place at the port and the store of the start.
    await server.write('server.json', { ...settings, listen: { host: '127.0.0.1', port: 1 }, store: { type: 'embedded', path: 'other' } })
    await server.reloaded()
    const { version } = (await server.ready()).json
    await server.write('clients/gateway.json', '{')
    await server.write('server.json', '{')
    await server.process.logged(refused)
    for (const worker of server.process.serving) {
      process.kill(worker, 'SIGKILL')
      const successor = await server.process.logged('listening')
      expect(server.process.serving).to.not.include(successor.pid)
      expect(successor.version).to.equal(version)
    }
    await server.eachTime(4, async () => {
      expect((await server.issued()).aud).to.equal('https://new.example')
      const { json } = await server.ready()
      expect(json).to.include({ status: 'ready', version })
      expect(json.reload).to.include({ status: 'failed' })
      expect(json.needsRestart).to.deep.equal(['listen', 'store'])
    })
    await server.write('clients/gateway.json', await server.read('clients/api.json'))
    await server.write('server.json', settings)
    await server.reloaded()
    await until('every worker has heard that all is well', () =>
      server.areAll(8, ({ json }) => !('reload' in json) && !('needsRestart' in json)),
    )
  })
})
