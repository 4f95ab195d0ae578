import type { IncomingMessage } from 'node:http'

/** The address that the connection comes from. */
export function peerAddress(request: Pick<IncomingMessage, 'socket'>): string {
  return plainAddress(request.socket.remoteAddress ?? '')
}

/** An IPv4 address as it is, also where a dual-stack socket shows it as one of IPv6 (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}
