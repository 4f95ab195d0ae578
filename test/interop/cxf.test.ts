import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Context } from 'mocha'
import { assertion20, audience, makeSigner, now } from '../saml/forge.ts'
import { assertionFor, ledger, trustServerFor } from '../sts/asking.ts'
import { certifiedKey } from '../support/certificates.ts'
import { issuer, secretOf } from '../support/configuration.ts'
import { requireProgram, run, type Said } from './tools.ts'

const here = join(import.meta.dirname, 'cxf')
const idp = makeSigner()

/** An assertion of this very moment: CXF reads the clock of the machine. */
function assertionOfNow(): string {
  const shifted = (part: string) =>
    part.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, time => new Date(Date.parse(time) - now * 1000 + Date.now()).toISOString())
  const document = assertion20()
  return assertionFor(idp, audience, { ...document, before: shifted(document.before), after: shifted(document.after) })
}

describe("CXF's STSClient", function () {
  this.timeout(300_000)
  const at = trustServerFor(idp, undefined, { clock: () => Date.now() / 1000 })
  let folder: string
  let options: string[]
  let proxy: Server

  before(async function () {
    this.timeout(600_000)
    for (const program of ['javac', 'mvn']) requireProgram(this, program, ['-version'], 'CAMBIST_REQUIRE_CXF')
    folder = await mkdtemp(join(tmpdir(), 'cambist-cxf-'))
    const classes = await compiled(this, folder)
    proxy = await secured(folder, async (path, init) => fetch(`${at.server.url}${path}`, init))
    const trusted = ['-Djavax.net.ssl.trustStore=trusted.p12', '-Djavax.net.ssl.trustStorePassword=password']
    options = [...trusted.map(option => option.replace('=trusted', `=${folder}/trusted`)), '-cp', classes]
  })
  after(async () => {
    proxy?.close()
    if (folder) await rm(folder, { recursive: true })
  })

  async function speak(order: Record<string, string>): Promise<Said> {
    const { port, by, secret, operation, appliesTo, token } = {
      ...{ port: 'STS_Port', by: 'username', secret: secretOf('gateway'), operation: 'Issue', appliesTo: ledger, token: assertionOfNow() },
      ...order,
    }
    // A message of a program that this test does not send itself.
    at.server.countExchange()
    const args = [
      `https://localhost:${(proxy.address() as AddressInfo).port}/sts/partner`,
      port,
      by,
      'gateway',
      secret,
      operation,
      appliesTo,
      token,
    ]
    return run('java', [...options, 'StsClient', ...args])
  }

  for (const [port, by] of [
    ['STS_Port', 'username'],
    ['STS_Port12', 'username'],
    ['STS_BasicPort', 'basic'],
    ['STS_BasicPort12', 'basic'],
  ] as const) {
    it(`is issued a token at ${port}`, async () => {
      const { out, complaints } = await speak({ port, by })
      expect(out, complaints).to.match(/^issued \S+#SAMLV2.0 <saml:Assertion/)
      expect(out).to.include('<saml:NameID>alice</saml:NameID>')
    })
  }

  it('has tokens validated, genuine and changed', async () => {
    const token = assertionOfNow()
    expect((await speak({ operation: 'Validate', token })).out).to.match(/^valid 1/)
    expect((await speak({ operation: 'Validate', token: token.replace('alice', 'alicE') })).out).to.match(/^refused/)
  })

  it('understands our faults', async () => {
    expect((await speak({ appliesTo: 'urn:unknown' })).out).to.include('AppliesTo is unknown here')
    expect((await speak({ secret: 'wrong' })).out).to.match(/^refused/)
  })
})

/** Compiles the client against CXF of Maven Central; gives its class path. Left out, aloud, where that cannot be had. */
async function compiled(context: Context, folder: string): Promise<string> {
  const list = join(folder, 'class-path')
  const goal = ['-q', '-B', '-f', join(here, 'pom.xml'), 'dependency:build-classpath', `-Dmdep.outputFile=${list}`]
  requireProgram(context, 'mvn', goal, 'CAMBIST_REQUIRE_CXF')
  const jars = await readFile(list, 'utf8')
  const { status, stderr } = spawnSync('javac', ['-cp', jars, '-d', folder, join(here, 'StsClient.java')], { encoding: 'utf8' })
  expect(status, stderr).to.equal(0)
  return `${folder}:${jars}`
}

/** What stands before our server in production: TLS, and the name that the WSDL has. */
async function secured(folder: string, ask: (path: string, init: RequestInit) => Promise<Response>): Promise<Server> {
  const { certificatePem, privateKeyPem } = certifiedKey('ES256', 'localhost')
  await writeFile(join(folder, 'server.pem'), certificatePem)
  const store = ['-keystore', join(folder, 'trusted.p12'), '-storetype', 'PKCS12', '-storepass', 'password']
  const { status, stdout } = spawnSync('keytool', ['-importcert', '-noprompt', '-file', join(folder, 'server.pem'), ...store], {
    encoding: 'utf8',
  })
  expect(status, stdout).to.equal(0)
  const proxy = createServer({ cert: certificatePem, key: privateKeyPem }, async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    const passed = ['content-type', 'soapaction', 'authorization'].flatMap(name => {
      const value = request.headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    })
    const { method = 'GET', url = '/' } = request
    const answer = await ask(url, { method, headers: Object.fromEntries(passed), ...(method === 'POST' && { body }) })
    const text = (await answer.text()).replaceAll(`location="${issuer}`, `location="https://${request.headers.host}`)
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' }).end(text)
  }).listen(0, 'localhost')
  await once(proxy, 'listening')
  return proxy
}
