import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { blocksOf } from '../docs/blocks.ts'
import { until } from '../stores/until.ts'
import { authority, type Certified, certify } from '../support/certificate-authority.ts'
import type { Files } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { sendByTls } from '../support/https.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { encodeForm } from '../support/running-server.ts'
import { repository } from '../support/server-process.ts'
import { serverFor } from '../support/world.ts'
import { requireProgram } from './tools.ts'

const root = certify({ subject: '/O=Acme/CN=Root', extensions: authority })
const orders = certify({ subject: '/O=Acme/CN=orders', by: root })
const forged = certify({ subject: '/O=Acme/CN=orders' })

function behindNginx(files: Files): Files {
  const server = files['server.json'] as { listen: object }
  const clientCertificate = { header: 'X-SSL-Client-Cert', trustAnchors: [{ file: 'secrets/root.crt.pem' }] }
  return {
    ...files,
    'server.json': { ...server, listen: { ...server.listen, proxies: { addresses: ['127.0.0.1'], clientCertificate } } },
    'clients/orders.json': {
      authentication: { method: 'tls_client_auth', subjectDn: 'CN=orders,O=Acme' },
      tokenExchange: { enabled: true },
    },
    'secrets/root.crt.pem': root.certificate,
  }
}

describe('nginx before this server, as the guide has it', () => {
  const world = serverFor(behindNginx)
  let folder: string
  let nginx: ChildProcess
  let url: string

  before(async function () {
    requireProgram(this, 'nginx', ['-v'], 'CAMBIST_REQUIRE_NGINX')
    folder = await mkdtemp(join(tmpdir(), 'cambist-nginx-'))
    const port = await freePort()
    url = `https://127.0.0.1:${port}`
    const page = await readFile(join(repository, 'docs/guides/tls.md'), 'utf8')
    const block = blocksOf(page).find(({ language }) => language === 'nginx')?.text ?? ''
    const shown = certify({ subject: '/CN=localhost', extensions: ['subjectAltName=DNS:localhost'] })
    await writeFile(join(folder, 'sts.crt.pem'), shown.certificate)
    await writeFile(join(folder, 'sts.pem'), shown.privateKey)
    const adapted = block.replace('8443', `127.0.0.1:${port}`).replace('http://127.0.0.1:3000', world.server.url)
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`).join('\n')
    const whole = `daemon off; pid ${folder}/pid; error_log stderr;\nevents {}\nhttp { access_log off;\n${paths}\n${adapted}}\n`
    await writeFile(join(folder, 'nginx.conf'), whole)
    nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
    await until('nginx answers', () =>
      sendByTls(`${url}/healthz`, { method: 'GET' }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    )
  })
  after(async () => {
    if (nginx?.exitCode === null) {
      nginx.kill('SIGTERM')
      await once(nginx, 'exit')
    }
    if (folder !== undefined) await rm(folder, { recursive: true })
  })

  async function exchange(as: Certified | undefined, headers: Record<string, string> = {}) {
    const form = { grant_type: tokenExchange, subject_token: await world.person(), subject_token_type: types.jwt, client_id: 'orders' }
    world.server.countExchange()
    const media = { 'content-type': 'application/x-www-form-urlencoded' }
    const response = await sendByTls(`${url}/token`, { method: 'POST', headers: { ...media, ...headers }, body: encodeForm(form), as })
    return { status: response.status, record: world.lastRecord() }
  }
  const header = encodeURIComponent(orders.certificate)
  const der = orders.certificate.replace(/-----[A-Z ]+-----|\s/g, '')

  it('a client is known by its certificate', async () => {
    const { status, record } = await exchange(orders)
    expect([status, record.client, record.clientIp]).to.deep.equal([200, 'orders', '127.0.0.1'])
  })

  it('a certificate that nobody has certified is handed on, and refused here', async () => {
    expect((await exchange(forged)).status).to.equal(401)
  })

  it('headers that a client makes up do not come through, or are not believed', async () => {
    const made = { 'X-SSL-Client-Cert': header, 'Client-Cert': `:${der}:`, 'X-Forwarded-For': '203.0.113.9', Forwarded: 'for=203.0.113.9' }
    for (const as of [undefined, forged]) {
      const { status, record } = await exchange(as, made)
      expect(status).to.equal(401)
      expect(record).to.deep.include({ clientIp: '127.0.0.1', ignoredHeaders: ['forwarded', 'client-cert'] })
    }
    expect((await exchange(undefined, { x_ssl_client_cert: header })).status).to.equal(401)
  })
})
