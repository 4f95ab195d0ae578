import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { freePort } from '../support/free-port.ts'
import { tokenExchange } from '../support/oauth.ts'
import { basic, encodeForm } from '../support/running-server.ts'
import { repository } from '../support/sample.ts'
import { requireBuild } from '../support/server-process.ts'

const example = join(repository, 'examples/cambist-legacy-token')
const portalSecret = 'the-secret-of-the-old-portal-0123456789'
const ordersSecret = 'the-secret-of-the-orders-0123456789abcdef'
const legacySession = 'urn:acme:params:oauth:token-type:legacy-session'
const required = process.env.CAMBIST_REQUIRE_NPM === '1'

describe('the example package, installed from its tarball beside cambist from its own', function () {
  this.timeout(600_000)
  let folder: string
  let address: string
  let server: ChildProcess | undefined

  function run(command: string, args: readonly string[], cwd = folder) {
    const environment = { ...process.env, PORTAL_SECRET: portalSecret, ORDERS_SECRET: ordersSecret, NODE_OPTIONS: '' }
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: environment, encoding: 'utf8', timeout: 300_000 })
    return { status, said: `${stdout}${stderr}` }
  }

  function cambist(...args: string[]): string {
    const { status, said } = run(join(folder, 'node_modules/.bin/cambist'), args)
    expect(status, said).to.equal(0)
    return said
  }

  function pack(from: string): string {
    const { status, said } = run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], from)
    expect(status, said).to.equal(0)
    return `./${said
      .trim()
      .split('\n')
      .findLast(line => line.endsWith('.tgz'))}`
  }

  before(async function () {
    await requireBuild()
    folder = await mkdtemp(join(tmpdir(), 'cambist-installed-'))
    await cp(join(example, 'configuration'), folder, { recursive: true })
    const port = await freePort()
    address = `http://localhost:${port}`
    const settings = JSON.parse(await readFile(join(folder, 'server.json'), 'utf8'))
    await writeFile(join(folder, 'server.json'), JSON.stringify({ ...settings, issuer: address, listen: { port } }))
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }))
    // A registry that fails for a moment is no fault of the package.
    const patient = ['--prefer-offline', '--fetch-retries=6', '--fetch-retry-mintimeout=1000']
    const install = ['install', ...patient, '--no-audit', '--no-fund', '--ignore-scripts', pack(repository), pack(example)]
    const { status, said } = run('npm', install)
    if (status !== 0 && !required && /ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|EAI_AGAIN|ENOTCACHED/.test(said)) {
      console.warn('      npm reaches no registry: the example package is not installed')
      this.skip()
    }
    expect(status, said).to.equal(0)
  })

  after(async () => {
    if (server !== undefined && server.exitCode === null) {
      const ended = once(server, 'exit')
      server.kill('SIGTERM')
      await ended
    }
    await rm(folder, { recursive: true, force: true })
  })

  it('brings the sample configuration whole, so that it starts', async () => {
    const sample = join(folder, 'sample')
    await cp(join(folder, 'node_modules/cambist'), sample, {
      recursive: true,
      filter: from => !/cambist\/(node_modules|dist|docs)(\/|$)/.test(from),
    })
    const missing = run(join(folder, 'node_modules/.bin/cambist'), ['check', '--without-secrets', '--config', sample])
    await rm(sample, { recursive: true })
    expect(missing.status, missing.said).to.equal(0)
  })

  it('passes its own tests, which are the conformance checks', async () => {
    const checkout = join(folder, 'checkout')
    await cp(example, checkout, { recursive: true })
    const { status, said } = run(process.execPath, ['--test'], checkout)
    await rm(checkout, { recursive: true })
    expect(status, said).to.equal(0)
    expect(said).to.match(/^# pass 12$/m)
  })

  it('is checked, listed, tested, and in the schemas', () => {
    cambist('keys', 'generate', 'api')
    const checked = cambist('check')
    expect(checked).to.include(
      'plug-in @acme/cambist-legacy-token 1.0.0: "legacy-token" for token-generators, "legacy-token" for token-processors',
    )
    expect(checked).to.include('no problems')
    expect(cambist('test')).to.include('3 cases, all as expected')
    expect(cambist('usage', 'env:PORTAL_SECRET')).to.include('policies/token-generators/timesheets.json')
    cambist('schemas')
    cambist('schemas', '--check')
  })

  it('has its types in the schemas for editors', async () => {
    const schema = await readFile(join(folder, 'schemas/token-processor.schema.json'), 'utf8')
    expect(schema).to.include('"legacy-token"').and.to.include('What the old portal is called in policies')
  })

  it('takes part in exchanges of the server, and in explanations', async () => {
    const { writeLegacyToken } = await import(join(example, 'src/legacy-token.js'))
    const now = Math.floor(Date.now() / 1000)
    const session = { app: 'gateway', user: 'ada', roles: ['clerk'], iat: now, exp: now + 600, sid: 's1' }
    const token: string = writeLegacyToken(session, portalSecret)
    const env = { ...process.env, PORTAL_SECRET: portalSecret, ORDERS_SECRET: ordersSecret, NODE_OPTIONS: '' }
    server = spawn(join(folder, 'node_modules/.bin/cambist'), ['serve'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
    await untilServing(address)
    const issued = await exchange(address, token, { resource: 'https://orders.acme.example/' })
    expect(decodeJwt(String(issued.access_token))).to.deep.include({ sub: 'ada', roles: ['clerk'], iss: address })
    const legacy = await exchange(address, token, { audience: 'timesheets' })
    expect(legacy).to.include({ issued_token_type: legacySession, token_type: 'N_A' })
    expect(String(legacy.access_token)).to.match(/^LT1\./)
    const forged = await exchange(address, writeLegacyToken(session, 'another-secret-of-nobody-0123456789abc'), { audience: 'timesheets' })
    expect(forged).to.include({ error: 'invalid_request' })
    expect(String(forged.error_description)).to.include('it was not made by the old portal')
    await writeFile(join(folder, 'token.txt'), token)
    const request = ['--client', 'orders', '--subject-token', 'token.txt', '--subject-token-type', legacySession]
    expect(cambist('explain', ...request, '--audience', 'timesheets')).to.include('"app": "timesheets"')
  })

  it('is written against declarations that a compiler takes', async () => {
    await mkdir(join(folder, 'typed'))
    await writeFile(join(folder, 'typed/plugin.ts'), typedPlugin)
    const options = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2023',
      skipLibCheck: true,
      exactOptionalPropertyTypes: true,
    }
    const types = { types: ['node'], typeRoots: [join(repository, 'node_modules/@types')] }
    await writeFile(join(folder, 'typed/package.json'), '{ "type": "module" }')
    await writeFile(join(folder, 'typed/tsconfig.json'), JSON.stringify({ compilerOptions: { ...options, ...types } }))
    const compile = () => run(join(repository, 'node_modules/.bin/tsc'), ['--pretty', 'false', '-p', join(folder, 'typed')])
    const { status, said } = compile()
    expect(status, said).to.equal(0)
    await writeFile(join(folder, 'typed/plugin.ts'), typedPlugin.replace('subject: token', 'subjekt: token'))
    const mistaken = compile()
    expect(mistaken.status).not.to.equal(0)
    expect(mistaken.said).to.match(/typed\/plugin\.ts\(8,\d+\): error TS/)
  })

  it('can import nothing that is internal', () => {
    const { status, said } = run(process.execPath, ['--input-type=module', '-e', "await import('cambist/dist/exchange/exchange.js')"])
    expect(status).not.to.equal(0)
    expect(said).to.include('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})

const typedPlugin = `
import { pluginKind, type PluginTokenGenerator, type PluginTokenProcessor, tokenGeneratorSettings, tokenProcessorSettings, z } from 'cambist'
export const apiVersion = 1
export const tokenProcessors = [
  pluginKind('typed', { ...tokenProcessorSettings, size: z.int() }, (settings, parts): PluginTokenProcessor => ({
    issuers: [parts.issuer + settings.size.toFixed()],
    attributes: undefined,
    process: async token => ({ issuer: 'a', subject: token, audiences: [], expiresAt: parts.outside.now() + settings.clockSkew, attributes: {} }),
    assume: ({ says }) => ({ issuer: 'a', subject: String(says.sub), audiences: [], attributes: says }),
  })),
]
export const tokenGenerators = [
  pluginKind('typed', tokenGeneratorSettings, (): PluginTokenGenerator => ({
    tokenType: 'urn:a:b',
    expressesActor: false,
    generate: async ({ attributes, expiresBy }) => ({ token: String(attributes.sub), id: 'x', tokenType: 'N_A', expiresAt: expiresBy, content: { claims: attributes } }),
  })),
]
`

async function untilServing(address: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`${address}/healthz`).catch(() => undefined)
    if (answer?.ok === true) return
    await pause(200)
  }
  throw new Error('the server does not answer')
}

async function exchange(address: string, token: string, target: Record<string, string>): Promise<Record<string, unknown>> {
  const body = encodeForm({ grant_type: tokenExchange, subject_token: token, subject_token_type: legacySession, ...target })
  const headers = { authorization: basic('orders', ordersSecret), 'content-type': 'application/x-www-form-urlencoded' }
  return (await (await fetch(`${address}/token`, { method: 'POST', headers, body })).json()) as Record<string, unknown>
}
