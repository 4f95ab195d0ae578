import type { Socket } from 'node:net'
import type { TLSSocket, Server as TlsServer } from 'node:tls'

/** The connections whose handshake is under way. HTTP does not know of them yet, so that nobody else would close them. */
export class Handshakes {
  /** By the address of the other end: Node tells of the socket below a TLS socket in no other way. */
  readonly #underWay = new Map<string, Socket>()

  constructor(server: TlsServer) {
    server.on('connection', (socket: Socket) => {
      const end = endOf(socket)
      this.#underWay.set(end, socket)
      socket.once('close', () => this.#underWay.delete(end))
    })
    server.on('secureConnection', (socket: TLSSocket) => this.#underWay.delete(endOf(socket)))
  }

  /** Ends them: nobody has asked anything yet. */
  breakOff(): void {
    for (const socket of this.#underWay.values()) socket.destroy()
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
