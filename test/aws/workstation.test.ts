import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { cambist, patience } from '../commands/run.ts'
import { requireProgram, type Said } from '../interop/tools.ts'
import { AuditTrail } from '../support/audit-trail.ts'
import { arns, awsFiles, awsFor, WayToAws } from '../support/aws.ts'
import { secretOf } from '../support/configuration.ts'
import { repository } from '../support/sample.ts'
import { serverFor } from '../support/world.ts'

const tsx = createRequire(import.meta.filename).resolve('tsx')
const program = `${process.execPath} --import ${tsx} ${join(repository, 'src/main.ts')}`

describe('the commands of the workstation', function () {
  this.timeout(patience)
  const way = new WayToAws()
  const world = serverFor(files => awsFiles(files), { fetch: way.fetch, journal: new AuditTrail() })
  let folder: string
  before(async function () {
    requireProgram(this, 'xmlsec1', ['--version'], 'CAMBIST_REQUIRE_XML_TOOLS')
    way.aws = await awsFor(world)
  })
  after(() => way.aws?.close())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cambist-workstation-'))
    await writeFile(join(folder, 'token'), await world.person())
    await writeFile(join(folder, 'secret'), `${secretOf('gateway')}\n`)
    way.meddle = undefined
  })
  afterEach(() => rm(folder, { recursive: true }))

  const options = (more: readonly string[] = [], subject = ['--subject-token-file', join(folder, 'token')]) => [
    ...['--server', world.server.url, '--client', 'gateway', '--client-secret-file', join(folder, 'secret')],
    ...subject,
    ...['--audience', 'aws', ...more],
  ]
  const env = (more: NodeJS.ProcessEnv = {}) => ({ XDG_CACHE_HOME: folder, ...more })
  const credentials = (more: readonly string[] = [], subject?: string[]) =>
    cambist(['aws', 'credentials', ...options(more, subject)], { env: env({ TOKEN: undefined }) })
  const issuedSoFar = () => way.aws?.requests.length ?? 0

  /** Runs the AWS CLI with a profile whose credentials are ours. */
  async function awsCli(...args: readonly string[]): Promise<Said> {
    const config = join(folder, 'config')
    const line = `${program} aws credentials ${options().join(' ')}`
    await writeFile(config, `[profile work]\nregion = eu-central-1\ncredential_process = ${line}\n`)
    const surroundings = {
      ...process.env,
      ...env(),
      AWS_CONFIG_FILE: config,
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
      AWS_PROFILE: 'work',
    }
    const child = spawn('aws', [...args, '--endpoint-url', way.aws?.url ?? ''], { env: surroundings })
    const said = { out: '', complaints: '' }
    child.stdout.on('data', text => {
      said.out += text
    })
    child.stderr.on('data', text => {
      said.complaints += text
    })
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, ...said }
  }

  describe('the AWS CLI, with credential_process = cambist aws credentials', () => {
    before(function () {
      requireProgram(this, 'aws', ['--version'], 'CAMBIST_REQUIRE_AWS')
    })

    it('knows who it is', async () => {
      const { out, code, complaints } = await awsCli('sts', 'get-caller-identity', '--output', 'json')
      expect(code, complaints).to.equal(0)
      expect(JSON.parse(out)).to.include({ Arn: 'arn:aws:sts::123456789012:assumed-role/Reader/alice', Account: '123456789012' })
    })

    it('lists buckets, twice with the same credentials', async () => {
      const before = issuedSoFar()
      for (const _time of [1, 2]) {
        const { out, code, complaints } = await awsCli('s3', 'ls')
        expect(code, complaints).to.equal(0)
        expect(out).to.include('reports')
      }
      expect(issuedSoFar() - before).to.equal(1)
    })

    it('says what the server says when it refuses', async () => {
      await writeFile(join(folder, 'token'), 'no.token.atall')
      const { code, complaints } = await awsCli('s3', 'ls')
      expect(code).not.to.equal(0)
      expect(complaints).to.include('invalid_request')
    })
  })

  describe('cambist aws credentials', () => {
    it('prints what credential_process wants, and keeps it for nobody else to read', async () => {
      const { output, complaints, code } = await credentials()
      expect({ code, complaints }).to.deep.equal({ code: 0, complaints: '' })
      expect(JSON.parse(output)).to.have.all.keys('Version', 'AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration')
      const [name = '', ...others] = await readdir(join(folder, 'cambist'))
      expect(others, 'no lock and no draft is left').to.deep.equal([])
      expect((await stat(join(folder, 'cambist', name))).mode & 0o777).to.equal(0o600)
      expect((await stat(join(folder, 'cambist'))).mode & 0o777).to.equal(0o700)
      expect((await credentials()).output).to.equal(output)
    })

    it('asks again for another person, and keeps nothing with --no-cache', async () => {
      const { output } = await credentials()
      await writeFile(join(folder, 'token'), await world.person({ sub: 'bob12' }))
      expect((await credentials()).output).not.to.equal(output)
      const kept = await readdir(join(folder, 'cambist'))
      expect((await credentials(['--no-cache'])).code).to.equal(0)
      expect(await readdir(join(folder, 'cambist'))).to.deep.equal(kept)
    })

    it('does not take a kept file that others may have written', async () => {
      const { output } = await credentials()
      const path = join(folder, 'cambist', (await readdir(join(folder, 'cambist')))[0] ?? '')
      await rm(path)
      await writeFile(path, JSON.stringify({ token: output.replace('ASIA', 'EVIL'), expiresAt: 9_999_999_999 }), { mode: 0o644 })
      const { output: again } = await credentials()
      expect(again).not.to.include('EVIL')
      expect((await stat(path)).mode & 0o777).to.equal(0o600)
    })

    it('asks once for several that come at the same time, and gets past a lock that somebody left behind', async () => {
      await credentials()
      const [name = ''] = await readdir(join(folder, 'cambist'))
      await rm(join(folder, 'cambist', name))
      await writeFile(join(folder, 'cambist', `${name}.lock`), '999999999')
      const before = issuedSoFar()
      const all = await Promise.all([credentials(), credentials(), credentials()])
      expect(new Set(all.map(({ output }) => output)).size).to.equal(1)
      expect(issuedSoFar() - before).to.equal(1)
      expect(await readdir(join(folder, 'cambist'))).to.deep.equal([name])
    })

    it('uses what it has until it ends when nothing new is to be had', async () => {
      const { output } = await credentials()
      const path = join(folder, 'cambist', (await readdir(join(folder, 'cambist')))[0] ?? '')
      const kept = JSON.parse(await readFile(path, 'utf8'))
      await writeFile(path, JSON.stringify({ ...kept, expiresAt: Date.now() / 1000 + 120 }))
      way.meddle = async () => Promise.reject(new Error('down'))
      const { output: again, complaints, code } = await credentials()
      expect({ again, code }).to.deep.equal({ again: output, code: 0 })
      expect(complaints).to.match(/503 temporarily_unavailable.*used until it ends/)
      await writeFile(path, JSON.stringify({ ...kept, expiresAt: Date.now() / 1000 + 5 }))
      expect(await credentials()).to.include({ code: 1, output: '' })
    })

    it('goes on without keeping anything where it cannot', async () => {
      await writeFile(join(folder, 'cambist'), 'a file')
      const { output, complaints, code } = await credentials()
      expect({ code, complaints }).to.deep.equal({ code: 0, complaints: 'cambist: nothing can be kept (EEXIST)\n' })
      expect(JSON.parse(output)).to.have.property('SecretAccessKey')
    })

    it('takes the token from an environment variable, or from what a command prints', async () => {
      const token = await world.person()
      const fromEnvironment = ['aws', 'credentials', ...options(['--no-cache'], ['--subject-token-env', 'TOKEN'])]
      expect((await cambist(fromEnvironment, { env: env({ TOKEN: token }) })).code).to.equal(0)
      const fromCommand = ['--subject-token-command', `echo thinking >&2; cat '${join(folder, 'token')}'`]
      expect(await credentials(['--no-cache'], fromCommand)).to.include({ code: 0, complaints: 'thinking\n' })
      const failing = await credentials(['--no-cache'], ['--subject-token-command', 'echo secret; exit 3'])
      expect(failing).to.include({ code: 1, output: '' })
      expect(failing.complaints)
        .to.match(/ended with 3/)
        .and.not.to.include('secret')
    })

    it('says on standard error, and only there, what is wrong', async () => {
      const refused = await credentials(['--audience', 'nobody'])
      expect(refused).to.include({ code: 1, output: '' })
      expect(refused.complaints).to.match(/^cambist: the server answered 400 invalid_target: /)
      const both = await credentials(['--subject-token-env', 'TOKEN'])
      expect(both).to.include({ code: 2, output: '' })
      const missing = await credentials([], ['--subject-token-file', join(folder, 'nothing')])
      expect(missing.complaints).to.match(/cannot be read \(ENOENT\)/)
      const elsewhere = await cambist(['aws', 'credentials', ...options(), '--server', 'http://sts.example.com'], { env: env() })
      expect(elsewhere.complaints).to.match(/must be https/)
    })
  })

  describe('cambist aws login-url', () => {
    it('prints a link that signs in, and has no credential in it', async () => {
      const more = [
        '--region',
        'eu-central-1',
        '--federation-endpoint',
        `${way.aws?.url}/federation`,
        '--issuer',
        'https://intranet.example',
      ]
      const { output, complaints, code } = await cambist(['aws', 'login-url', ...options(more)], { env: env() })
      expect(code, complaints).to.equal(0)
      const link = new URL(output.trim())
      expect(Object.fromEntries(link.searchParams)).to.deep.include({
        Action: 'login',
        Destination: 'https://console.aws.amazon.com/',
        Issuer: 'https://intranet.example',
      })
      const [id = ''] = /ASIA\w+/.exec(link.searchParams.get('SigninToken') ?? '') ?? []
      const session = way.aws?.sessions.get(id)
      expect(session?.role.arn).to.equal(arns.reader)
      expect(output).not.to.include(session?.secret)
    })

    it('says which region there is none of', async () => {
      expect((await cambist(['aws', 'login-url', ...options(['--region', 'moon-1'])], { env: env() })).complaints).to.match(
        /no region moon-1/,
      )
    })
  })

  describe('cambist kubectl', () => {
    const exec = (info?: string) =>
      cambist(['kubectl', ...options().map(each => (each === 'aws' ? 'api' : each)), '--requested-token-type', 'jwt'], {
        env: env({ KUBERNETES_EXEC_INFO: info }),
      })

    for (const version of ['v1', 'v1beta1']) {
      it(`prints an ExecCredential of ${version}`, async () => {
        const apiVersion = `client.authentication.k8s.io/${version}`
        const { output, complaints } = await exec(JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } }))
        expect(complaints).to.equal('')
        const { status, ...rest } = JSON.parse(output)
        expect(rest).to.deep.equal({ apiVersion, kind: 'ExecCredential' })
        expect(status.token.split('.')).to.have.length(3)
        expect(status.expirationTimestamp).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      })
    }

    it('answers in no version that it does not know', async () => {
      const { code, complaints } = await exec('{"apiVersion":"client.authentication.k8s.io/v2"}')
      expect(code).to.equal(1)
      expect(complaints).to.match(/another version/)
    })
  })
})
