import { connect, type Socket } from 'node:net'
import type { TlsChoices } from '../tls-files.ts'

/** Where a database is, and how this server logs on to it. */
export interface Login {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly username: string
  readonly password: string | undefined
  /** Undefined: without TLS. */
  readonly tls: TlsChoices | undefined
  readonly connections: {
    /** The most that are open. */
    readonly max: number
    /** The most lookups that wait for one. */
    readonly waiting: number
    /** Milliseconds after which an unused one is closed. */
    readonly idle: number
    /** Milliseconds that one may take to open. */
    readonly timeout: number
  }
}

/** How long a running statement is asked to end, or a server to say goodbye. */
export const farewellMilliseconds = 2_000

/** The open connections, which can be closed even where the other side does not answer. */
export class Sockets {
  readonly #open = new Set<Socket>()

  /** A socket that is being connected. */
  connect(host: string, port: number): Socket {
    return this.watch(connect(port, host))
  }

  watch(socket: Socket): Socket {
    this.#open.add(socket)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 10_000)
    return socket.once('close', () => this.#open.delete(socket))
  }

  destroy(): void {
    for (const socket of this.#open) socket.destroy()
  }
}

/** What it resolves to, or undefined where it takes too long or fails. */
export async function briefly<Value>(work: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), farewellMilliseconds)
  })
  try {
    return await Promise.race([work.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}
