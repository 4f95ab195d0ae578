import { once } from 'node:events'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { decodeJwt, type JWTPayload } from 'jose'
import { readSnapshot } from '../../src/config/snapshot.ts'
import { until } from '../stores/until.ts'
import { type Files, type Patch, patched, secretOf, usualFiles, writeFiles } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { type Issuer, makeIssuer } from '../support/issuer.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { basic, encodeForm, type Parameters } from '../support/running-server.ts'
import { type ServerProcess, startProcess } from '../support/server-process.ts'

/** An answer, read whole. */
export interface Plain {
  readonly status: number
  readonly json: Record<string, unknown>
}

/** A server in a process of its own, whose folder is changed while it runs. */
export class ChangingServer {
  readonly folder: string
  readonly people: Issuer
  readonly port: number
  readonly #remove: () => Promise<void>
  #process: ServerProcess | undefined
  #ended = false

  /** Starts on the usual files with the patch in them. */
  static async start(patch: Patch = {}, workers = 1): Promise<ChangingServer> {
    const port = await freePort()
    const issuer = `http://127.0.0.1:${port}`
    const people = await makeIssuer('https://people.example', issuer)
    const files = await usualFiles({ people, agents: await makeIssuer('https://agents.example', issuer) })
    const store = workers > 1 ? { type: 'embedded', path: 'data' } : { type: 'memory' }
    const server = { ...(files['server.json'] as object), issuer, listen: { host: '127.0.0.1', port }, store, workers }
    const { folder, remove } = await writeFiles(patched({ ...files, 'server.json': server }, patch))
    const changing = new ChangingServer({ folder, remove, port, people })
    try {
      changing.#process = await startProcess(folder, { workers })
      void changing.#process.ended.then(() => {
        changing.#ended = true
      })
    } catch (error) {
      await remove()
      throw error
    }
    return changing
  }

  constructor({ folder, remove, port, people }: { folder: string; remove: () => Promise<void>; port: number; people: Issuer }) {
    this.folder = folder
    this.people = people
    this.port = port
    this.#remove = remove
  }

  get process(): ServerProcess {
    if (this.#process === undefined) throw new Error('it has not been started')
    return this.#process
  }

  async end(): Promise<void> {
    await this.#process?.kill()
    await this.#remove()
  }

  /** Writes a file in place, as an editor may that knows no better. */
  async write(file: string, value: unknown): Promise<void> {
    const path = join(this.folder, file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value, null, 2))
  }

  async writeAll(files: Files): Promise<void> {
    for (const [file, value] of Object.entries(files)) await this.write(file, value)
  }

  // biome-ignore lint/suspicious/noExplicitAny: whatever the file says
  async read(file: string): Promise<any> {
    return JSON.parse(await readFile(join(this.folder, file), 'utf8'))
  }

  /** Changes several files as Git does: nothing is read before all of them are as they should be. */
  async checkOut(change: () => Promise<unknown>): Promise<void> {
    await this.write('.git/index.lock', '')
    await change()
    await this.delete('.git/index.lock')
  }

  async delete(file: string): Promise<void> {
    await rm(join(this.folder, file))
  }

  /** What the folder is at this moment. */
  async versionOfFolder(): Promise<string> {
    return (await readSnapshot(this.folder, process.env)).parsed.sources.version
  }

  /** Waits until every worker serves what is in the folder, whose version has changed: a secret is no part of it. */
  async reloaded(): Promise<void> {
    const version = await this.versionOfFolder()
    // The numbers are those of all workers; one of them may answer many requests in a row, while another is not done yet.
    await until(`version ${version} serves`, async () => String(servingVersions((await this.#send('GET', '/metrics')).text)) === version)
  }

  ready(): Promise<Plain> {
    return this.request('GET', '/readyz')
  }

  /** On a connection of its own. */
  async request(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<Plain> {
    const { incoming, text } = await this.#send(method, path, body, headers)
    return { status: incoming.statusCode ?? 0, json: JSON.parse(text) }
  }

  async #send(method: string, path: string, body = '', headers: Record<string, string> = {}) {
    const outgoing = request({ host: '127.0.0.1', port: this.port, method, path, headers, agent: false }).end(body)
    // One that comes after the answer has begun is told by the answer.
    outgoing.on('error', () => undefined)
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of incoming) text += chunk
    return { incoming, text }
  }

  async exchange(client = 'gateway'): Promise<Plain> {
    const now = Math.floor(Date.now() / 1000)
    const subject = await this.people.sign({ iat: now, exp: now + 600 })
    return this.post('/token', { grant_type: tokenExchange, subject_token: subject, subject_token_type: types.jwt }, client)
  }

  post(path: string, form: Parameters, client = 'gateway'): Promise<Plain> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: basic(client, secretOf(client)) }
    return this.request('POST', path, encodeForm(form), headers)
  }

  /** The claims of a token that is issued now. */
  async issued(client?: string): Promise<JWTPayload> {
    const { status, json } = await this.exchange(client)
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(json)}`)
    return decodeJwt(String(json.access_token))
  }

  /** Does something again and again: on connections of their own, so that each worker has its turn. */
  async eachTime(times: number, act: () => Promise<unknown>): Promise<void> {
    for (let time = 0; time < times; time++) await act()
  }

  /** Whether so many answers of `/readyz` are as they should be. */
  async areAll(times: number, holds: (answer: Plain) => boolean): Promise<boolean> {
    for (let time = 0; time < times; time++) if (!holds(await this.ready())) return false
    return true
  }

  /** Waits until the log has this message so many times, and fails when it has it more often. */
  async expectLogged(message: string, times: number): Promise<void> {
    const count = () => this.process.lines.filter(line => line.includes(`"msg":${JSON.stringify(message)}`)).length
    await until(`"${message}" is logged ${times} times`, () => count() >= times)
    await this.#readSoFar()
    expect(count(), message).to.equal(times)
  }

  // An answer may overtake what was printed before it, but no line of a process overtakes another one: whoever has read the record of a
  // request that was sent now has read what the process that answered it had logged by now.
  async #readSoFar(): Promise<void> {
    if (this.#ended) return
    const { incoming } = await this.#send('POST', '/token', '', { 'content-type': 'application/x-www-form-urlencoded' })
    await this.process.printed(String(incoming.headers['x-request-id']))
  }
}

/** The versions that processes serve, of the text of `/metrics`. */
function servingVersions(metrics: string): string[] {
  return [...metrics.matchAll(/^cambist_configuration_info\{version="(\w+)"\}/gm)].map(([, version = '']) => version)
}
