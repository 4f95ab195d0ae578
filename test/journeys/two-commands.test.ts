import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { requireProgram, run } from '../interop/tools.ts'
import { freePort } from '../support/free-port.ts'
import { repository, requireBuild, type ServerProcess, startProcess } from '../support/server-process.ts'

const orders = 'http://localhost:3001/orders/'

describe('two commands: npm ci && npm start', function () {
  this.timeout(120_000)
  const npm = { cwd: repository, encoding: 'utf8', env: { ...process.env, npm_config_loglevel: 'error' } } as const
  let folder: string
  let issuer: string
  let server: ServerProcess | undefined

  before(async function () {
    requireProgram(this, 'curl', ['--version'], 'CAMBIST_REQUIRE_CURL')
    // `npm ci` makes it by itself.
    await requireBuild()
    folder = await mkdtemp(join(tmpdir(), 'cambist-sample-'))
    issuer = await copySample()
  })
  after(async () => {
    await server?.kill()
    if (folder !== undefined) await rm(folder, { recursive: true })
  })

  /** The sample as a fresh clone has it, but on a port that is free. */
  async function copySample(): Promise<string> {
    const ofClone = spawnSync('git', ['ls-files', 'server.json', 'policies', 'clients', 'keys'], npm).stdout.trim().split('\n')
    expect(ofClone).to.include('server.json')
    for (const file of ofClone) await cp(join(repository, file), join(folder, file))
    const settings = JSON.parse(await readFile(join(folder, 'server.json'), 'utf8'))
    const port = await freePort()
    const moved = { ...settings, issuer: `http://localhost:${port}`, listen: { ...settings.listen, port } }
    await writeFile(join(folder, 'server.json'), JSON.stringify(moved))
    return moved.issuer
  }

  // As `npm start` does it: in the folder, with no option.
  const start = () => startProcess(folder, { command: [join(repository, 'dist/main.js'), 'serve'], cwd: folder })

  /** Everything in `keys/` that Git does not have. */
  async function madeFiles(): Promise<Record<string, string>> {
    const names = (await readdir(join(folder, 'keys'))).filter(name => !name.endsWith('.json')).sort()
    return Object.fromEntries(await Promise.all(names.map(async name => [name, await readFile(join(folder, 'keys', name), 'utf8')])))
  }

  /** The command that was printed, as somebody would paste it. */
  async function printedCurl(): Promise<string> {
    const lines = (await server?.printed('npx cambist token')) ?? []
    const from = lines.findIndex(line => line.startsWith('curl '))
    expect(from, 'a curl').to.be.at.least(0)
    const length = lines.slice(from).findIndex(line => !line.endsWith('\\')) + 1
    return lines.slice(from, from + length).join('\n')
  }

  async function paste(): Promise<Record<string, string | number>> {
    const { code, out, complaints } = await run('sh', ['-c', await printedCurl()])
    expect(code, complaints).to.equal(0)
    return JSON.parse(out)
  }

  let firstToken: string
  let firstFiles: Record<string, string>

  it('the first start makes keys and secrets that only their owner can read, and says so', async () => {
    server = await start()
    const [notice = ''] = await server.printed('First start')
    firstFiles = await madeFiles()
    expect(Object.keys(firstFiles)).to.include.members(['api.pem', 'sample-issuer.pem', 'sample-client.secret'])
    for (const name of Object.keys(firstFiles)) {
      expect(notice).to.contain(`keys/${name}`)
      expect((await stat(join(folder, 'keys', name))).mode & 0o077, name).to.equal(0)
    }
  })

  it('it prints where it listens, and a curl that answers with a token', async () => {
    expect((await server?.printed('Cambist listens on'))?.at(-1)).to.contain(new URL(issuer).port)
    const answer = await paste()
    expect(answer).to.include({
      token_type: 'Bearer',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      expires_in: 600,
      scope: 'orders.read',
    })
    firstToken = String(answer.access_token)
  })

  it('the token is one that the orders API can verify, by /jwks alone', async () => {
    const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`), { timeoutDuration: 30_000 })
    const { payload } = await jwtVerify(firstToken, keys, { issuer, audience: orders, typ: 'at+jwt', algorithms: ['ES256'] })
    expect(payload).to.deep.include({
      sub: 'alice',
      email: 'alice@example.com',
      groups: ['app-orders'],
      client_id: 'sample',
      scope: 'orders.read',
    })
  })

  it('SIGTERM ends it with 0', async () => {
    expect(await server?.stop()).to.equal(0)
  })

  it('the second start makes nothing new, and knows what the first one issued', async () => {
    server = await start()
    expect((await paste()).token_type).to.equal('Bearer')
    expect(server.lines.join('\n')).not.to.contain('First start')
    expect(await madeFiles()).to.deep.equal(firstFiles)
    const secret = firstFiles['sample-client.secret']?.trim()
    const authorization = `Basic ${btoa(`sample:${secret}`)}`
    const body = new URLSearchParams({ token: firstToken })
    const answer = await fetch(`${issuer}/introspect`, { method: 'POST', body, headers: { authorization } })
    expect(await answer.json()).to.include({ active: true, sub: 'alice' })
    expect(await server.stop()).to.equal(0)
  })

  it('npx cambist --help lists the commands', () => {
    const { status, stdout, stderr } = spawnSync('npx', ['--no-install', 'cambist', '--help'], npm)
    expect(status, stderr).to.equal(0)
    for (const command of ['serve', 'check', 'keys generate', 'hash-secret', 'token']) expect(stdout).to.contain(`cambist ${command}`)
  })

  it('npx cambist check finds the sample in order', () => {
    const { status, stdout, stderr } = spawnSync('npx', ['--no-install', 'cambist', 'check', '--config', folder], npm)
    expect(status, stderr).to.equal(0)
    expect(stdout).to.contain('no problems')
  })
})
