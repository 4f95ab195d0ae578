import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '../stores/until.ts'
import { freePort } from '../support/free-port.ts'
import type { Authority, Certified } from './ldap-authority.ts'
import { reader, suffix, testDirectory } from './ldap-people.ts'
import { SingleProcess } from './single-process.ts'

const run = promisify(execFile)

/** An OpenLDAP server with 10,000 people that a test has started and may do anything to. */
export interface RealLdap {
  readonly port: number
  readonly url: string
  /** With TLS from the first byte on, where it was started with a certificate. */
  readonly secureUrl: string
  /** Stops it without ending it: connections are still made, nothing is answered. */
  freeze(): Promise<void>
  thaw(): void
  kill(): Promise<void>
  /** Starts it again on the same ports after `kill`. */
  start(): Promise<void>
  /** How many connections it has, and how many it had since it was started, this question not among them. */
  connections(): Promise<{ readonly current: number; readonly total: number }>
  stop(): Promise<void>
}

/** What a server may be started with. */
export interface RealLdapOptions {
  readonly authority?: Authority
  readonly certified?: Certified
  /** Further lines of slapd.conf, before the databases. */
  readonly settings?: readonly string[]
}

const slapd = ['/usr/sbin/slapd', '/usr/libexec/slapd'].find(path => spawnSync(path, ['-VV']).error === undefined)

/** Skips the suite where there is no slapd to start, and says so; with CAMBIST_REQUIRE_LDAP=1 that is a failure. */
export function requireLdap(context: Mocha.Context): void {
  if (slapd !== undefined && spawnSync('ldapsearch', ['-VV']).error === undefined) return
  const reason = 'there is no slapd, or no ldapsearch, on this machine'
  if (process.env.CAMBIST_REQUIRE_LDAP === '1') throw new Error(`CAMBIST_REQUIRE_LDAP=1, but ${reason}`)
  console.warn(`      SKIPPED, NOT TESTED: ${reason}; install them (apt-get install slapd ldap-utils) to run these tests`)
  context.skip()
}

/** Starts an OpenLDAP on free ports, with the entries of `ldap-people.ts`. */
export async function startLdap(options: RealLdapOptions = {}): Promise<RealLdap> {
  const folder = await mkdtemp(join(tmpdir(), 'cambist-ldap-'))
  await cp(await filledDatabase(), join(folder, 'data'), { recursive: true })
  const server = new ServerProcess(folder, await freePort(), await freePort())
  await writeFile(join(folder, 'slapd.conf'), settingsOf(folder, options))
  await server.start()
  return server
}

// Loading ten thousand people takes seconds; every server of a run begins with a copy.
let filled: Promise<string> | undefined

function filledDatabase(): Promise<string> {
  filled ??= fillDatabase()
  return filled
}

async function fillDatabase(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cambist-ldap-people-'))
  process.once('exit', () => spawnSync('rm', ['-rf', folder]))
  await mkdir(join(folder, 'data'))
  await writeFile(join(folder, 'slapd.conf'), settingsOf(folder, {}))
  await writeFile(join(folder, 'people.ldif'), testDirectory())
  await run(`${slapd?.replace(/slapd$/, '')}slapadd`, ['-q', '-f', join(folder, 'slapd.conf'), '-l', join(folder, 'people.ldif')])
  return join(folder, 'data')
}

function settingsOf(folder: string, { authority, certified, settings = [] }: RealLdapOptions): string {
  const schemas = ['core', 'cosine', 'inetorgperson'].map(name => `include /etc/ldap/schema/${name}.schema`)
  const types = ['objectSid 1.2.840.113556.1.4.146', 'objectGUID 1.2.840.113556.1.4.2'].map(type => {
    const [name, id] = type.split(' ')
    return `attributetype ( ${id} NAME '${name}' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )`
  })
  const tls = [
    ...(authority === undefined ? [] : [`TLSCACertificateFile ${authority.certificateFile}`, 'TLSVerifyClient try']),
    ...(certified === undefined ? [] : [`TLSCertificateFile ${certified.certificateFile}`, `TLSCertificateKeyFile ${certified.keyFile}`]),
  ]
  return [
    ...schemas,
    ...types,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    ...tls,
    // Whoever shows a certificate for `client` asks as the reader.
    `authz-regexp "cn=client" "${reader.dn}"`,
    ...settings,
    'database config',
    `rootdn "${reader.dn}"`,
    'database monitor',
    `access to * by dn.exact="${reader.dn}" read`,
    'database mdb',
    `suffix "${suffix}"`,
    `directory ${join(folder, 'data')}`,
    'maxsize 268435456',
    'index objectClass,uid,mail,member,employeeNumber,cn eq',
    'access to attrs=userPassword by anonymous auth by * none',
    `access to dn.subtree="ou=far,${suffix}" by * none`,
    `access to * by dn.exact="${reader.dn}" read by anonymous search by users search`,
    '',
  ].join('\n')
}

class ServerProcess extends SingleProcess implements RealLdap {
  readonly port: number
  readonly #securePort: number
  readonly #folder: string

  constructor(folder: string, port: number, securePort: number) {
    super()
    this.#folder = folder
    this.port = port
    this.#securePort = securePort
  }

  get url(): string {
    return `ldap://127.0.0.1:${this.port}`
  }

  get secureUrl(): string {
    return `ldaps://localhost:${this.#securePort}`
  }

  async start(): Promise<void> {
    const addresses = `${this.url}/ ldaps://127.0.0.1:${this.#securePort}/`
    const started = spawn(slapd as string, ['-h', addresses, '-f', join(this.#folder, 'slapd.conf'), '-d', '0'], { stdio: 'ignore' })
    this.process = started
    // A test that is broken off leaves no server behind.
    const kill = () => started.kill('SIGKILL')
    process.once('exit', kill)
    started.once('exit', () => process.removeListener('exit', kill))
    await until('slapd answers', async () => {
      if (started.exitCode !== null) throw new Error(`slapd ended with ${started.exitCode}`)
      return await listens(this.port)
    }).catch(error => this.stop().then(() => Promise.reject(error)))
  }

  async connections() {
    const counted = async (of: string) => {
      const as = ['-x', '-D', reader.dn, '-w', reader.password]
      const asked = ['-b', `cn=${of},cn=Connections,cn=Monitor`, '-s', 'base', '-LLL', 'monitorCounter']
      const { stdout } = await run('ldapsearch', ['-H', this.url, ...as, ...asked])
      return Number(/monitorCounter: (\d+)/.exec(stdout)?.[1]) - 1
    }
    const current = await counted('Current')
    return { current, total: await counted('Total') }
  }

  async stop(): Promise<void> {
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
