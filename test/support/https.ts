import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { Certified } from './certificate-authority.ts'

/** How one request is sent by TLS. Who answers is not verified: that is what the server shows, and not what it does. */
export interface TlsRequest {
  readonly method: string
  readonly headers?: Record<string, string>
  readonly body?: string | undefined
  /** With this certificate. */
  readonly as?: Certified | undefined
}

/** Sends one request on a connection of its own. */
export function sendByTls(url: string, { method, headers = {}, body, as }: TlsRequest): Promise<Response> {
  const options = { method, headers, agent: false, rejectUnauthorized: false, ...(as && { cert: as.certificate, key: as.privateKey }) }
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, incoming => readWhole(incoming).then(resolve, reject))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function readWhole(incoming: IncomingMessage): Promise<Response> {
  let text = ''
  for await (const chunk of incoming) text += chunk
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as [string, string])
  return new Response(text === '' ? null : text, { status: incoming.statusCode ?? 0, headers })
}
