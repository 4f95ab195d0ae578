import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { secretOf } from '../support/configuration.ts'
import { ChangingServer } from './changing-server.ts'

const done = 'configuration reloaded'
const refused = 'configuration not reloaded; the last good one serves on'

/** Milliseconds for which files may rest in the middle of a change: a little less than the server waits. */
const longestRest = 240

const managerFile = 'policies/access-token-managers/api.json'

describe('reload', function () {
  this.timeout(120_000)
  let server: ChangingServer
  afterEach(() => server?.end())

  const manager = async () => JSON.parse(await readFile(join(server.folder, managerFile), 'utf8'))
  const withAudience = async (audience: string) => JSON.stringify({ ...(await manager()), audience: [audience] })
  const client = (name: string) => ({
    authentication: { method: 'client_secret_basic', secrets: [{ file: `secrets/${name}` }] },
    tokenExchange: { enabled: true },
  })

  /**
   * Takes one step after the other on a server of its own, with pauses between them. On another one again where the machine stood still
   * meanwhile: what is so far apart is not one change.
   */
  async function inOneGo(milliseconds: number, ...steps: ReadonlyArray<() => Promise<unknown>>): Promise<void> {
    for (;;) {
      server = await ChangingServer.start()
      const began: number[] = []
      const apart: number[] = []
      for (const step of steps) {
        began.push(performance.now())
        await step()
        apart.push(performance.now() - (began.at(-2) ?? began.at(-1) ?? 0))
        await pause(milliseconds)
      }
      if (Math.max(...apart) < longestRest) return
      await server.end()
    }
  }

  it('takes a burst of writes as one change', async () => {
    const more = (number: number) => () =>
      server.writeAll({
        [`secrets/more-${number}`]: secretOf(`more-${number}`),
        [`clients/more-${number}.json`]: client(`more-${number}`),
      })
    await inOneGo(20, ...Array.from({ length: 20 }, (_, number) => more(number)))
    await server.reloaded()
    expect((await server.issued('more-19')).client_id).to.equal('more-19')
    await server.expectLogged(done, 1)
  })

  it('takes a file that an editor has renamed over the old one', async () => {
    server = await ChangingServer.start()
    await server.write('policies/access-token-managers/.api.json.swp', await withAudience('https://new.example'))
    await server.write('policies/access-token-managers/api.json~', 'what it was')
    await rename(join(server.folder, 'policies/access-token-managers/.api.json.swp'), join(server.folder, managerFile))
    await server.reloaded()
    expect((await server.issued()).aud).to.equal('https://new.example')
    await server.expectLogged(done, 1)
  })

  it('waits for the second half of a change that is no mistake without it', async () => {
    await inOneGo(
      100,
      async () => server.write(managerFile, await withAudience('https://new.example')),
      () => server.delete('clients/bystander.json'),
      () => server.write('clients/orders.json', client('gateway')),
    )
    await server.reloaded()
    await server.expectLogged(done, 1)
  })

  it('waits until Git has changed all files', async () => {
    server = await ChangingServer.start()
    const version = (await server.ready()).json.version
    await server.write('.git/index.lock', '')
    await server.write(managerFile, await withAudience('https://new.example'))
    await pause(1_000)
    expect((await server.ready()).json.version).to.equal(version)
    await server.delete('clients/bystander.json')
    await server.delete('.git/index.lock')
    await server.reloaded()
    await server.expectLogged(done, 1)
  })

  it('notices that a link leads elsewhere, as Kubernetes changes a ConfigMap', async () => {
    server = await ChangingServer.start()
    const place = (...names: string[]) => join(server.folder, 'clients', ...names)
    const fill = async (name: string, clients: readonly string[]) => {
      await mkdir(place(name))
      for (const each of clients) await writeFile(place(name, `${each}.json`), JSON.stringify(client('gateway')))
    }
    await fill('..2026_01', ['mounted'])
    await symlink('..2026_01', place('..data'))
    await symlink(join('..data', 'mounted.json'), place('mounted.json'))
    await server.reloaded()
    const first = await server.versionOfFolder()
    await mkdir(place('..2026_02'))
    await writeFile(place('..2026_02', 'mounted.json'), JSON.stringify({ ...client('gateway'), enabled: false }))
    await symlink('..2026_02', place('..data_tmp'))
    await rename(place('..data_tmp'), place('..data'))
    expect(await server.versionOfFolder()).not.to.equal(first)
    await server.reloaded()
    await server.expectLogged(done, 2)
  })

  it('notices a secret that has changed, whose name has not', async () => {
    server = await ChangingServer.start()
    await server.write('secrets/gateway', 'another-secret-0123456789abcdefghijklmnopqrstuvwxyz')
    await server.process.logged(done)
    expect((await server.exchange()).json.error).to.equal('invalid_client')
  })

  it('does nothing about files that are not of the configuration, or whose content stays', async () => {
    server = await ChangingServer.start()
    await server.writeAll({ 'README.md': 'new', 'data/file': 'new', 'policies/notes.txt': 'new', 'clients/.hidden.json': '{' })
    await server.write(managerFile, await readFile(join(server.folder, managerFile), 'utf8'))
    await pause(1_000)
    await server.delete('clients/bystander.json')
    await server.reloaded()
    await server.expectLogged(done, 1)
  })

  it('keeps the last good configuration, says everything that is wrong once, and takes the next good one', async () => {
    server = await ChangingServer.start()
    const good = await server.ready()
    expect(good.json).to.include({ status: 'ready', store: 'reachable' }).and.to.not.have.property('reload')
    await server.write(managerFile, { ...(await manager()), lifetime: 'long', signingKey: 'apy' })
    const { problems, version } = await server.process.logged(refused)
    expect({ problems, version }).to.deep.equal({ problems: 1, version: good.json.version })
    await server.write('clients/gateway.json', '{ "enabled": true, ')
    expect((await server.process.logged(refused)).problems).to.equal(2)
    const bad = await server.ready()
    expect(bad.status).to.equal(200)
    expect(bad.json).to.include({ status: 'ready', version: good.json.version, loadedAt: good.json.loadedAt })
    expect(bad.json.reload).to.include({ status: 'failed', problems: 2 }).and.to.have.property('at')
    expect((await server.issued()).aud).to.equal('https://api.example.com')
    // Some polls, in which nothing is said again.
    await pause(4_500)
    await server.expectLogged(refused, 2)
    const said = server.process.lines
      .filter(line => line.includes(`${managerFile}:`) && line.includes('"level":50'))
      .map(line => JSON.parse(line))
    expect(said).to.have.length(2)
    expect(said[0].msg).to.match(/api\.json:3:3 lifetime: expected a duration/)
    await server.write(managerFile, { ...(await manager()), lifetime: '3m', signingKey: 'api' })
    await server.write('clients/gateway.json', client('gateway'))
    await server.reloaded()
    expect((await server.ready()).json).to.not.have.property('reload')
    const { iat, exp } = await server.issued()
    expect(Number(exp) - Number(iat)).to.equal(180)
  })

  it('loads on SIGHUP, and says so also where nothing has changed', async () => {
    server = await ChangingServer.start()
    process.kill(server.process.pid, 'SIGHUP')
    const { version, before } = await server.process.logged(done)
    expect(version).to.equal(before)
    await server.write(managerFile, '{')
    process.kill(server.process.pid, 'SIGHUP')
    await server.process.logged(refused)
    process.kill(server.process.pid, 'SIGHUP')
    await server.process.logged(refused)
    expect((await server.exchange()).status).to.equal(200)
  })

  it('says which settings wait for a restart, and uses the others', async () => {
    server = await ChangingServer.start()
    const settings = JSON.parse(await readFile(join(server.folder, 'server.json'), 'utf8'))
    const changed = { listen: { ...settings.listen, port: 1 }, workers: 2, store: { type: 'embedded' } }
    await server.write('server.json', { ...settings, ...changed, issuer: 'http://127.0.0.1:1/moved' })
    expect(
      (await server.process.logged('these settings are used after a restart only; everything else is in use')).needsRestart,
    ).to.have.members(['listen', 'store', 'workers'])
    expect((await server.ready()).json.needsRestart).to.have.members(['listen', 'store', 'workers'])
    expect((await server.request('GET', '/moved/.well-known/openid-configuration')).json.issuer).to.equal('http://127.0.0.1:1/moved')
    await server.write('server.json', settings)
    await server.reloaded()
    expect((await server.ready()).json).to.not.have.property('needsRestart')
  })
})
