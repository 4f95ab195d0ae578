import { isUtf8 } from 'node:buffer'
import { lookup as systemLookup } from 'node:dns'
import http, { type Agent, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import { addressProblem, kindOfAddress } from './addresses.ts'

/** What may be asked of another server. */
export interface GuardedRequest {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Whether addresses of private networks, and plain http on a loopback host, are in order. */
  readonly allowPrivateNetwork?: boolean
  /** The largest answer that is read. */
  readonly maxBytes?: number
  /** Until the last byte of the answer. */
  readonly maxMilliseconds?: number
  /**
   * Keeps connections open for later requests, all of which must have the same `allowPrivateNetwork`. A request that finds its connection
   * closed is sent once more, and must do no harm then.
   */
  readonly agent?: Agent
}

/** An answer, complete and within the limits, with whatever status. */
export interface GuardedAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

/** An answer of more bytes than are read. */
export class AnswerTooLarge extends Error {}

/** A `fetch` of few powers: no redirects, no cookies, no proxies, limits of size and time, no way into a private network. */
export type GuardedFetch = (url: string, request: GuardedRequest) => Promise<GuardedAnswer>

/** Resolves names as `dns.lookup` does, to all addresses. */
export type ResolveName = (
  hostname: string,
  options: { readonly all: true; readonly family: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: ReadonlyArray<{ address: string; family: number }>) => void,
) => void

const defaults = { maxBytes: 262_144, maxMilliseconds: 5_000 }

/** Makes the guarded fetch. What it throws says which rule or which failure it was, for the log. */
export function guardedFetch(resolve: ResolveName = systemLookup): GuardedFetch {
  return async (url, request) => {
    const problem = addressProblem(url, request.allowPrivateNetwork === true)
    if (problem !== undefined) throw new Error(`${url} ${problem}`)
    const signal = AbortSignal.timeout(request.maxMilliseconds ?? defaults.maxMilliseconds)
    return await send(new URL(url), request, lookupGuard(resolve, request.allowPrivateNetwork === true), signal)
  }
}

/**
 * Filters what a name resolves to. The connection is made to exactly the addresses that are returned here, so that a name cannot
 * resolve to something else between the check and the connection (DNS rebinding).
 */
function lookupGuard(resolve: ResolveName, allowPrivateNetwork: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { all: true, family: Number(options.family ?? 0) || 0 }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0)
      const allowed = addresses.filter(({ address }) => mayConnect(address, allowPrivateNetwork))
      const [first] = allowed
      if (first === undefined) return callback(new Error(`${hostname} resolves to no address that may be connected to`), '', 0)
      if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function mayConnect(address: string, allowPrivateNetwork: boolean): boolean {
  const kind = kindOfAddress(address)
  return kind === 'public' || (kind === 'private' && allowPrivateNetwork)
}

function send(url: URL, request: GuardedRequest, lookup: LookupFunction, signal: AbortSignal): Promise<GuardedAnswer> {
  const { method = 'GET', body, maxBytes = defaults.maxBytes, agent } = request
  const headers: OutgoingHttpHeaders = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'cambist',
    ...request.headers,
  }
  if (body !== undefined) headers['content-length'] = Buffer.byteLength(body)
  return new Promise((resolve, reject) => {
    // Else a fresh agent: a pooled connection would be one that this call's guard did not see.
    const options = { method, headers, lookup, signal, agent: agent ?? false }
    const outgoing = url.protocol === 'https:' ? https.request(url, options) : http.request(url, options)
    // Where several addresses were tried, the message is empty and the code is that of the last one.
    const fail = (error: NodeJS.ErrnoException) =>
      reject(failureOf(`${method} ${url.origin}${url.pathname}`, signal.aborted ? new Error('no answer in time') : error))
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // The other side has closed it while nobody used it.
      if (!outgoing.reusedSocket || error.code !== 'ECONNRESET') return fail(error)
      // By the same agent: it alone knows the proxy, whose certificates are believed, and which one is shown.
      send(url, request, lookup, signal).then(resolve, reject)
    })
    outgoing.on('response', incoming =>
      readAnswer(incoming, maxBytes).then(
        answer => {
          if (agent === undefined) outgoing.destroy()
          resolve(answer)
        },
        error => {
          outgoing.destroy()
          fail(error)
        },
      ),
    )
    outgoing.end(body)
  })
}

function failureOf(what: string, error: NodeJS.ErrnoException): Error {
  const message = `${what}: ${error.message || error.code}`
  return error instanceof AnswerTooLarge ? new AnswerTooLarge(message) : new Error(message)
}

async function readAnswer(incoming: IncomingMessage, maxBytes: number): Promise<GuardedAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new AnswerTooLarge(`the answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  if (!isUtf8(bytes)) throw new Error('the answer is not UTF-8')
  const { statusCode = 0, headers } = incoming
  return { status: statusCode, headers: { get: name => headers[name]?.toString() ?? null }, text: async () => bytes.toString('utf8') }
}
