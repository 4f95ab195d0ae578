import { once } from 'node:events'
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTls } from 'node:https'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { certifiedKey } from '../../support/certificates.ts'
import { freePort } from '../../support/free-port.ts'

/** A request as the service has seen it. */
export interface SeenRequest {
  readonly method: string
  /** As it stood in the request line. */
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Whose certificate was shown. */
  readonly shownBy: string | undefined
}

/** What the service answers: a status with JSON, a text, or nothing ever; or it closes the connection. */
export type Said =
  | { readonly status?: number; readonly json?: unknown; readonly text?: string; readonly headers?: Record<string, string> }
  | 'nothing'
  | 'goodbye'

/** A service that a test can make say anything. */
export interface PeopleService {
  readonly url: string
  readonly certificatePem: string
  readonly requests: SeenRequest[]
  answer: (request: SeenRequest) => Said
  /** How many connections are open. */
  connections(): number
  /** How many were ever opened. */
  opened(): number
  /** Ends it with every connection; `start` starts it again on the same port. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** The certificate that clients show to the service. */
export const shown = certifiedKey('ES256', 'cambist')

/** Starts a service with TLS, which asks for a client certificate. */
export async function startPeopleService(scheme: 'https' | 'http' = 'https'): Promise<PeopleService> {
  const own = certifiedKey('ES256', 'localhost')
  const sockets = new Set<Socket>()
  const requests: SeenRequest[] = []
  // One that is free again after `kill`: a client that tries in vain could be given one of the system's for itself.
  const port = await freePort()
  let opened = 0
  let server: Server
  const service: PeopleService = {
    get url() {
      return `${scheme}://localhost:${port}`
    },
    certificatePem: own.certificatePem,
    requests,
    answer: () => ({ status: 404 }),
    connections: () => sockets.size,
    opened: () => opened,
    async kill() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
    async start() {
      const handle = (incoming: IncomingMessage, outgoing: ServerResponse) => void respond(service, incoming, outgoing)
      const tls = {
        cert: own.certificatePem,
        key: own.privateKeyPem,
        requestCert: true,
        rejectUnauthorized: false,
        ca: shown.certificatePem,
      }
      server = scheme === 'https' ? createTls(tls, handle) : createPlain(handle)
      server.on('connection', (socket: Socket) => {
        opened++
        sockets.add(socket.once('close', () => sockets.delete(socket)).on('error', () => {}))
      })
      await once(server.listen(port, 'localhost'), 'listening')
    },
    async stop() {
      if (server.listening) await service.kill()
    },
  }
  await service.start()
  return service
}

async function respond(service: PeopleService, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of incoming) body += chunk
  const { method = '', url: target = '', headers, socket } = incoming
  const peer =
    'getPeerCertificate' in socket
      ? (socket as unknown as { getPeerCertificate(): { subject?: { CN?: string } } }).getPeerCertificate()
      : {}
  const request = { method, target, headers, body, shownBy: peer.subject?.CN }
  service.requests.push(request)
  const said = service.answer(request)
  if (said === 'nothing') return
  if (said === 'goodbye') return void socket.destroy()
  outgoing.writeHead(said.status ?? 200, { 'content-type': 'application/json', ...said.headers })
  outgoing.end(said.text ?? JSON.stringify(said.json ?? {}))
}

/** A proxy that connects to whatever it is asked for, and remembers it. */
export async function startProxy(authorization?: string): Promise<{ url: string; targets: string[]; stop(): void }> {
  const targets: string[] = []
  const sockets = new Set<Socket>()
  const server = createPlain()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})))
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    targets.push(request.url ?? '')
    if (authorization !== undefined && request.headers['proxy-authorization'] !== authorization)
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    const [host = '', port] = (request.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    sockets.add(onward.on('error', () => socket.destroy()))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
