import type { IncomingMessage } from 'node:http'

/** The address that the connection comes from. Forwarded headers are not believed: whoever connects can write them. */
export function clientAddress(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}
