import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { pino } from 'pino'
import { createApp } from '../../src/app.ts'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { readSources } from '../../src/config/read.ts'
import { Kept } from '../../src/kept.ts'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { listen } from '../../src/listen.ts'
import { measureConfiguration } from '../../src/observe/metrics/configuration-metrics.ts'
import { measureDataStores } from '../../src/observe/metrics/data-store-metrics.ts'
import { openSignals, type SignalsParts } from '../../src/observe/signals.ts'
import type { Outside } from '../../src/outside.ts'
import { ReloadReport } from '../../src/reload/reload-report.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { TicketKeys } from '../../src/tls/ticket-keys.ts'
import { AuditTrail, type RecordJournal } from './audit-trail.ts'
import type { Certified } from './certificate-authority.ts'
import { type Files, secretOf, writeFiles } from './configuration.ts'
import { Foresight } from './foresight.ts'
import { sendByTls } from './https.ts'
import { tokenExchange, types } from './oauth.ts'

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
  /** The server's clock, in seconds. */
  now(): number
  /** Moves the server's clock. */
  advance(seconds: number): void
  /** By TLS, also with a certificate. */
  request(method: string, path: string, body?: string, headers?: Record<string, string>, as?: Certified): Promise<Answer>
  /** Posts with these headers and no others, in two chunks: what `fetch` would make into a better request. */
  postRaw(path: string, body: string, headers: Record<string, string>): Promise<Pick<Answer, 'status' | 'text'>>
  /** Posts a form, as the client by HTTP Basic unless `client` is undefined. */
  post(path: string, parameters: Parameters, client?: string): Promise<Answer>
  /** Another program has sent an exchange, or will. */
  countExchange(): void
  /** A token exchange: a JWT as subject token, unless the parameters say otherwise. */
  exchange(parameters: Parameters, client?: string): Promise<Answer>
  /** Fails when an exchange left no record, or more than one, or one that gives something away. */
  close(): Promise<void>
}

/** The outside world of a server under test. */
export interface WorldOutside {
  readonly store?: (now: () => number) => Store
  /** Where records go; without one the server's `records` have them. */
  readonly journal?: RecordJournal
  readonly fetch?: Outside['fetch']
  /** Where traces go. */
  readonly tracing?: SignalsParts['tracing']
  /** What the clock says before it is moved; without one, the time of day. */
  readonly clock?: () => number
  /** How TLS is served, where the configuration has it. */
  readonly tls?: { readonly handshakeTimeout: number }
}

/** Starts the server on the given files, in this process. */
export async function startServer(files: Files, options: WorldOutside = {}): Promise<RunningServer> {
  const written = await writeFiles(files)
  try {
    return await startOn(written, options)
  } catch (error) {
    await written.remove()
    throw error
  }
}

async function startOn({ folder, remove }: Awaited<ReturnType<typeof writeFiles>>, options: WorldOutside): Promise<RunningServer> {
  const clock = options.clock ?? (() => Date.now() / 1000)
  let moved = 0
  const now = () => clock() + moved
  const trail = new AuditTrail()
  const asking = options.fetch ?? guardedFetch()
  const signals = openSignals({ journal: { ...recording(options.journal ?? trail), close: async () => {} }, now, tracing: options.tracing })
  const store = signals.measured(options.store?.(now) ?? memoryStore(now))
  const outside: Outside = {
    fetch: asking,
    effects: asking,
    now,
    store,
    log: pino({ level: 'silent' }),
    fetches: signals.fetches,
    onNotBelieved: header => signals.callers.ignored(header),
    random: randomBytes,
  }
  const parsed = await parseConfiguration(await readSources(folder), folder, process.env)
  const kept = new Kept().draft()
  const { server } = await buildConfiguration(parsed, outside, kept)
  // What a test brings itself, it watches: an explanation would be seen there.
  const isUsual = options.store === undefined && options.fetch === undefined && options.journal === undefined
  const foresight = isUsual ? await Foresight.of(parsed, outside) : undefined
  const condition = { stopping: false, reload: new ReloadReport(now) }
  measureConfiguration(signals.registry, () => ({ version: server.version, ...condition.reload.facts }))
  measureDataStores(signals.registry, () => server.dataStores.values())
  const tls = server.tls && { material: server.tls, tickets: new TicketKeys(), ...options.tls }
  const listening = await listen(createApp(server, signals, condition).callback(), { host: '127.0.0.1', port: 0, tls })
  const url = listening.address
  const tokenPath = new URL(server.tokenEndpoint).pathname

  async function request(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
    as?: Certified,
  ): Promise<Answer> {
    const isExchange = method === 'POST' && (path.split('?')[0] === tokenPath || path.startsWith('/sts'))
    if (isExchange) trail.countExchange()
    const send = () => sendTo(method, path, body, headers, as)
    // An explanation has a certificate as if it had been proved: it knows nothing of what proxies say.
    if (!isExchange || foresight === undefined || 'client-cert' in headers) return send()
    const sent = { path, body: body ?? '', headers, as }
    return path === tokenPath ? foresight.watch(sent, send) : foresight.watchMessage(sent, send)
  }

  async function sendTo(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
    as: Certified | undefined,
  ): Promise<Answer> {
    const response = await (url.startsWith('https:')
      ? sendByTls(`${url}${path}`, { method, headers, body, as })
      : fetch(`${url}${path}`, { method, headers, redirect: 'manual', ...(body !== undefined && { body }) }))
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    const json = isJson && text !== '' ? JSON.parse(text) : {}
    trail.keepSecret(json.access_token)
    return { status: response.status, headers: response.headers, text, json }
  }

  async function post(path: string, parameters: Parameters, client?: string): Promise<Answer> {
    for (const name of confidentialParameters) trail.keepSecret(parameters[name])
    if (client !== undefined) trail.keepSecret(secretOf(client))
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client !== undefined && { authorization: basic(client, secretOf(client)) }),
    }
    return request('POST', path, encodeForm(parameters), headers)
  }

  return {
    url,
    store,
    records: trail.records,
    now,
    advance: seconds => {
      moved += seconds
    },
    request,
    postRaw(path, body, headers) {
      trail.countExchange()
      return postInChunks(`${url}${path}`, body, headers)
    },
    post,
    countExchange: () => trail.countExchange(),
    exchange: (parameters, client = 'gateway') => post('/token', { ...exchangeOfAJwt, ...parameters }, client),
    async close() {
      await listening.close(1000)
      await Promise.all([kept.discard(), foresight?.close()])
      await store.close()
      await remove()
      if (options.journal === undefined) trail.verify()
    },
  }
}

function postInChunks(url: string, body: string, headers: Record<string, string>): Promise<Pick<Answer, 'status' | 'text'>> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method: 'POST', headers }, incoming => readWhole(incoming).then(resolve, reject))
    outgoing.on('error', reject)
    outgoing.write(body.slice(0, body.length / 2))
    outgoing.end(body.slice(body.length / 2))
  })
}

async function readWhole(incoming: IncomingMessage): Promise<Pick<Answer, 'status' | 'text'>> {
  let text = ''
  for await (const chunk of incoming) text += chunk
  return { status: incoming.statusCode ?? 0, text }
}

const confidentialParameters = ['subject_token', 'actor_token', 'token', 'client_secret', 'client_assertion']

const exchangeOfAJwt = { grant_type: tokenExchange, subject_token_type: types.jwt }

function recording(journal: RecordJournal): RecordJournal {
  return { write: line => journal.write(line), written: () => journal.written() }
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
