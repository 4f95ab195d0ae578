import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Context } from 'mocha'
import { type CertifiedKey, certifiedKey } from '../support/certificates.ts'
import { freePort } from '../support/free-port.ts'
import { requireProgram } from './tools.ts'

const installed = '/usr/share/simplesamlphp'
const router = fileURLToPath(new URL('simplesamlphp_service.php', import.meta.url))

/** Leaves the tests out, aloud, without SimpleSAMLphp and a PHP that can run it. */
export function requireSimpleSamlPhp(context: Context): void {
  const probe = `require '${installed}/lib/_autoload.php'; exit(extension_loaded('dom') && extension_loaded('mbstring') ? 0 : 1);`
  requireProgram(context, 'php', ['-r', probe], 'CAMBIST_REQUIRE_XML_TOOLS')
}

/** A live service provider: SimpleSAMLphp under PHP's own web server. */
export interface ServiceProvider {
  readonly entityId: string
  /** Where browsers post Responses to. */
  readonly acs: string
  /** What assertions for it are encrypted with. */
  readonly key: CertifiedKey
  /** Makes it trust the identity provider of these metadata. */
  trust(metadata: string): Promise<void>
  /** Posts a Response as a browser does, one that has no session yet, and opens the application then. */
  login(response: string): Promise<Login>
  stop(): Promise<void>
}

/** Whom the application sees; `name` is null where nobody is logged in. `answer` is what the Response was answered with. */
export interface Login {
  readonly name: string | null
  readonly format?: string
  readonly attributes?: Readonly<Record<string, readonly string[]>>
  readonly issuer?: string
  readonly session?: string
  readonly answer: { readonly status: number; readonly text: string }
}

/** Sets one up in a folder of its own and waits until it listens. */
export async function startServiceProvider(): Promise<ServiceProvider> {
  const folder = await mkdtemp(join(tmpdir(), 'cambist-simplesamlphp-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const entityId = 'https://sp.example.com/simplesamlphp'
  const key = certifiedKey('RS256', 'sp.example.com')
  await configure(folder, url, entityId, key)
  const server = await serve(folder, new URL(url).host)
  const acs = `${url}/module.php/saml/sp/saml2-acs.php/sp`
  return {
    ...{ entityId, acs, key },
    trust: metadata => writeFile(join(folder, 'identity-provider.xml'), metadata),
    async login(response) {
      const form = { SAMLResponse: Buffer.from(response).toString('base64'), RelayState: `${url}/application` }
      const posted = await fetch(acs, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) })
      const cookie = posted.headers.getSetCookie().map(each => each.split(';')[0])
      const opened = await fetch(`${url}/application`, { headers: { cookie: cookie.join('; ') } })
      return { ...((await opened.json()) as Login), answer: { status: posted.status, text: await posted.text() } }
    },
    async stop() {
      server.kill('SIGKILL')
      await once(server, 'close')
      await rm(folder, { recursive: true })
    },
  }
}

async function configure(folder: string, url: string, entityId: string, key: CertifiedKey): Promise<void> {
  const inside = (name: string) => join(folder, name)
  for (const name of ['config', 'sessions', 'temp', 'log', 'metadata', 'cert']) await mkdir(inside(name))
  await writeFile(inside('cert/sp.pem'), key.privateKeyPem)
  await writeFile(inside('cert/sp.crt'), key.certificatePem)
  const config = {
    ...{ baseurlpath: `${url}/`, certdir: inside('cert/'), loggingdir: inside('log/'), datadir: inside('data/'), tempdir: inside('temp') },
    ...{ metadatadir: inside('metadata/'), attributenamemapdir: `${installed}/config/attributemap/` },
    ...{ secretsalt: 'of these tests', 'auth.adminpassword': 'of these tests', technicalcontact_email: 'nobody@example.com' },
    ...{ timezone: 'UTC', 'assertion.allowed_clock_skew': 60, 'trusted.url.domains': [], showerrors: true },
    ...{ 'logging.level': 7, 'logging.handler': 'file', 'store.type': 'phpsession', 'session.cookie.secure': false },
    ...{ 'session.phpsession.savepath': inside('sessions'), 'session.cookie.samesite': 'Lax', 'module.enable': { saml: true, core: true } },
    'metadata.sources': [{ type: 'xml', file: inside('identity-provider.xml') }],
  }
  const sources = { sp: { 0: 'saml:SP', entityID: entityId, privatekey: 'sp.pem', certificate: 'sp.crt' } }
  await writeFile(inside('config/config.php'), asPhp(config))
  await writeFile(inside('config/authsources.php'), asPhp(sources))
}

function asPhp(config: object): string {
  return `<?php\n$config = json_decode(<<<'JSON'\n${JSON.stringify(config, undefined, 2)}\nJSON, true);\n`
}

async function serve(folder: string, host: string) {
  const env = { ...process.env, SIMPLESAMLPHP_CONFIG_DIR: join(folder, 'config') }
  const server = spawn('php', ['-S', host, '-t', `${installed}/www`, router], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  process.once('exit', () => server.kill('SIGKILL'))
  const said: string[] = []
  const lines = createInterface(server.stderr)
  await new Promise<void>((resolve, reject) => {
    lines.on('line', line => {
      said.push(line)
      if (line.includes('started')) resolve()
    })
    server.once('close', () => reject(new Error(said.join('\n'))))
  })
  return server
}
