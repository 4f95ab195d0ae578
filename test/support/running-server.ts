import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { createApp } from '../../src/app.ts'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { readSources } from '../../src/config/read.ts'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { listen } from '../../src/listen.ts'
import { Recorder } from '../../src/observe/record.ts'
import type { Outside } from '../../src/outside.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { type Files, secretOf, writeFiles } from './configuration.ts'

/** Parameters of a request; a list is sent as repeated parameters, `undefined` not at all. */
export type Parameters = Record<string, string | readonly string[] | undefined>

/** An answer, read whole. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Record<string, unknown>
}

/** A server on a port of its own, with a clock that the test can move. */
export interface RunningServer {
  readonly url: string
  readonly store: Store
  /** The audit records, parsed. */
  readonly records: Array<Record<string, unknown>>
  /** Moves the server's clock. */
  advance(seconds: number): void
  request(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Answer>
  /** Posts a form, as the client by HTTP Basic unless `client` is undefined. */
  post(path: string, parameters: Parameters, client?: string): Promise<Answer>
  /** A token exchange: a JWT as subject token, unless the parameters say otherwise. */
  exchange(parameters: Parameters, client?: string): Promise<Answer>
  close(): Promise<void>
}

interface Options {
  readonly store?: (now: () => number) => Store
  readonly journal?: { write(line: string): void; written(): Promise<void> }
  readonly fetch?: Outside['fetch']
}

/** Starts the server on the given files, in this process. */
export async function startServer(files: Files, options: Options = {}): Promise<RunningServer> {
  const { folder, remove } = await writeFiles(files)
  let moved = 0
  const now = () => Date.now() / 1000 + moved
  const store = options.store?.(now) ?? memoryStore(now)
  const records: Array<Record<string, unknown>> = []
  const journal = options.journal ?? { write: (line: string) => void records.push(JSON.parse(line)), written: async () => {} }
  const outside: Outside = { fetch: options.fetch ?? guardedFetch(), now, store, log: pino({ level: 'silent' }), random: randomBytes }
  const parsed = await parseConfiguration(await readSources(folder), folder, process.env)
  const { server } = await buildConfiguration(parsed, outside)
  const listening = await listen(createApp(server, new Recorder(journal as never)), { host: '127.0.0.1', port: 0 })
  const url = listening.address

  async function request(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${url}${path}`, { method, headers, redirect: 'manual', ...(body !== undefined && { body }) })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : {} }
  }

  async function post(path: string, parameters: Parameters, client?: string): Promise<Answer> {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client !== undefined && { authorization: basic(client, secretOf(client)) }),
    }
    return request('POST', path, encodeForm(parameters), headers)
  }

  return {
    url,
    store,
    records,
    advance: seconds => {
      moved += seconds
    },
    request,
    post,
    exchange: (parameters, client = 'gateway') => post('/token', { ...exchangeOfAJwt, ...parameters }, client),
    async close() {
      await listening.close(1000)
      await store.close()
      await remove()
    },
  }
}

const exchangeOfAJwt = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
}

/** The `Authorization` header of HTTP Basic. */
export function basic(client: string, secret: string): string {
  return `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`
}

/** A form body. */
export function encodeForm(parameters: Parameters): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of value === undefined ? [] : Array.isArray(value) ? value : [value]) form.append(name, each)
  }
  return form.toString()
}
