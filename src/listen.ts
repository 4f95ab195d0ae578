import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Handshakes } from './tls/handshakes.ts'
import type { TicketKeys } from './tls/ticket-keys.ts'
import { contextOptions, serverOptions, type TlsMaterial } from './tls/tls-context.ts'

/** Where requests are taken. */
export interface ListeningPlace {
  readonly host: string
  readonly port: number
  /** Absent: by plain http. */
  readonly tls?: { readonly material: TlsMaterial; readonly tickets: TicketKeys; readonly handshakeTimeout?: number } | undefined
}

/** A server that answers on a port. */
export interface Listening {
  /** As a client on this machine would write it. */
  readonly address: string
  /** Connections that come from now on are shown this certificate. Not there where none is shown. */
  renew?(material: TlsMaterial): void
  /** Stops taking connections, lets requests in flight finish until the deadline. Resolves to whether some had to be cut off. */
  close(milliseconds: number): Promise<boolean>
}

const patience = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 5_000 }
const limits = { ...patience, maxHeaderSize: 32_768 }

/** Serves requests. Slow or idle senders are cut off, so that they cannot hold connections for ever. */
export async function listen(listener: RequestListener, { host, port, tls }: ListeningPlace): Promise<Listening> {
  if (tls !== undefined) return await listenByTls(listener, { host, port, tls })
  const http = createServer(limits, listener)
  await bind(http, host, port)
  return { address: addressOf(http, 'http'), close: milliseconds => close(http, milliseconds) }
}

async function listenByTls(listener: RequestListener, place: ListeningPlace & Required<Pick<ListeningPlace, 'tls'>>): Promise<Listening> {
  const { material, tickets, handshakeTimeout = 10_000 } = place.tls as NonNullable<ListeningPlace['tls']>
  const fixed = { ...limits, ...serverOptions(material), handshakeTimeout }
  let current = material
  const https = createTlsServer({ ...fixed, ...contextOptions(material, tickets.current) }, listener)
  const handshakes = new Handshakes(https)
  const renew = (next: TlsMaterial) => {
    // Whether certificates are requested was decided at the start; here it would say what is not so.
    current = { ...next, clientCertificates: material.clientCertificates }
    https.setSecureContext(contextOptions(current, tickets.current))
  }
  tickets.onReplaced(() => renew(current))
  await bind(https, place.host, place.port)
  return {
    address: addressOf(https, 'https'),
    renew,
    close(milliseconds) {
      const closed = close(https, milliseconds)
      handshakes.breakOff()
      return closed
    },
  }
}

function bind(http: HttpServer | HttpsServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, resolve)
  })
}

function addressOf(http: HttpServer | HttpsServer, scheme: 'http' | 'https'): string {
  const bound = http.address() as AddressInfo
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return `${scheme}://${name}:${bound.port}`
}

function close(http: HttpServer | HttpsServer, milliseconds: number): Promise<boolean> {
  let cutOff = false
  return new Promise(resolve => {
    const deadline = setTimeout(() => {
      cutOff = true
      http.closeAllConnections()
    }, milliseconds)
    // A connection whose request was under way is kept alive behind it, for another one that must not come.
    const idle = setInterval(() => http.closeIdleConnections(), 50)
    http.close(() => {
      clearTimeout(deadline)
      clearInterval(idle)
      resolve(cutOff)
    })
    http.closeIdleConnections()
  })
}
