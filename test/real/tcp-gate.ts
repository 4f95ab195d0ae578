import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

interface Passage {
  readonly client: Socket
  readonly server: Socket
  readonly held: Buffer[]
}

/** Stands before a server: every connection goes through it, and it can keep the answers, slow them, or cut the connections. */
export class TcpGate {
  readonly port: number
  /** How many connections were ever made. */
  total = 0
  /** Milliseconds that every answer takes. */
  delay = 0
  #holds = false
  readonly #listener: Server
  readonly #passages = new Set<Passage>()

  private constructor(listener: Server, target: number) {
    this.#listener = listener
    this.port = (listener.address() as AddressInfo).port
    listener.on('connection', client => this.#open(client, target))
  }

  static async before(target: number): Promise<TcpGate> {
    const listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    return new TcpGate(listener, target)
  }

  /** How many connections there are. */
  get current(): number {
    return this.#passages.size
  }

  /** How many pieces of answers are held back. */
  get holding(): number {
    return [...this.#passages].reduce((sum, { held }) => sum + held.length, 0)
  }

  /** From now on connections are made and nothing is answered: a server that hangs. */
  hold(): void {
    this.#holds = true
  }

  /** What was held back is delivered. */
  release(): void {
    this.#holds = false
    for (const { client, held } of this.#passages) for (const chunk of held.splice(0)) client.write(chunk)
  }

  /** Ends all connections in the middle of whatever they do. */
  cut(): void {
    for (const { client, server } of this.#passages) {
      client.resetAndDestroy()
      server.destroy()
    }
  }

  async close(): Promise<void> {
    this.cut()
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  #open(client: Socket, target: number): void {
    this.total++
    const server = connect(target, '127.0.0.1')
    const passage = { client, server, held: [] as Buffer[] }
    this.#passages.add(passage)
    const end = () => {
      client.destroy()
      server.destroy()
      this.#passages.delete(passage)
    }
    for (const side of [client, server]) side.on('error', end).on('close', end)
    client.on('data', chunk => server.write(chunk))
    server.on('data', chunk => this.#deliver(passage, chunk))
  }

  #deliver(passage: Passage, chunk: Buffer): void {
    if (this.#holds) passage.held.push(chunk)
    else if (this.delay === 0) passage.client.write(chunk)
    else setTimeout(() => passage.client.write(chunk), this.delay)
  }
}
