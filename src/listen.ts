import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that answers on a port. */
export interface Listening {
  /** As a client on this machine would write it. */
  readonly address: string
  /** Stops taking connections, lets requests in flight finish until the deadline. Resolves to whether some had to be cut off. */
  close(milliseconds: number): Promise<boolean>
}

/** Serves requests. Slow or idle senders are cut off, so that they cannot hold connections for ever. */
export async function listen(listener: RequestListener, { host, port }: { host: string; port: number }): Promise<Listening> {
  const timeouts = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 5_000 }
  const http = createServer({ ...timeouts, maxHeaderSize: 32_768 }, listener)
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, resolve)
  })
  const bound = http.address() as AddressInfo
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return { address: `http://${name}:${bound.port}`, close: milliseconds => close(http, milliseconds) }
}

function close(http: HttpServer, milliseconds: number): Promise<boolean> {
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
