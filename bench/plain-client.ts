import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'

/** What a server answered. */
export interface Answer {
  readonly status: number
  readonly text: string
}

/** One request on a connection of its own, to whoever listens here; the certificates of the benchmark are nobody's. */
export function ask(url: string, body?: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const send = url.startsWith('https:') ? tlsRequest : plainRequest
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const request = send(url, { method, headers, agent: false, rejectUnauthorized: false }, response =>
      read(response).then(resolve, reject),
    )
    request.once('error', reject)
    request.end(body)
  })
}

async function read(response: IncomingMessage): Promise<Answer> {
  return { status: response.statusCode ?? 0, text: Buffer.concat(await response.toArray()).toString('utf8') }
}
