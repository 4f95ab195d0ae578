import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection on which any bytes can be sent, also such as no HTTP library sends. */
export class RawConnection {
  readonly #socket: Socket
  #received = ''
  #wake: () => void = () => undefined
  /** Resolves when the server, or both, have ended it. */
  readonly closed: Promise<void>

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('latin1')
      this.#wake()
    })
    // A reset is one way in which a server ends a connection.
    socket.on('error', () => undefined)
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        this.#wake()
        resolve()
      })
    })
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  /** Sends bytes; resolves to whether more will be taken, after waiting until they are. */
  async send(bytes: string | Buffer): Promise<boolean> {
    if (this.#socket.destroyed || !this.#socket.writable) return false
    if (!this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)) {
      await Promise.race([once(this.#socket, 'drain'), this.closed]).catch(() => undefined)
    }
    return !this.#socket.destroyed && this.#socket.writable
  }

  /** Says that nothing more will come. */
  finish(): void {
    this.#socket.end()
  }

  /** Breaks off without a word. */
  break(): void {
    this.#socket.resetAndDestroy()
  }

  /** The status of every answer so far. No body of ours looks like one. */
  get statuses(): number[] {
    return [...this.#received.matchAll(/HTTP\/1\.[01] (\d{3}) [A-Z]/g)].map(([, status]) => Number(status))
  }

  get received(): string {
    return this.#received
  }

  /** Waits until so many answers have come, or the connection is closed. */
  async answers(count: number): Promise<number[]> {
    while (this.statuses.length < count && !this.#socket.destroyed) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.statuses
  }
}
