import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { TlsChoices } from '../tls-files.ts'
import { Connection } from './connection.ts'
import type { Credentials } from './messages.ts'

/** Where a directory is, and how it is spoken to there. */
export interface Directory {
  /** Its address as it was configured, for messages. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** From the first byte on, after StartTLS, or not at all. */
  readonly encryption: 'tls' | 'start-tls' | 'none'
  readonly tls: TlsChoices
}

/** Connects and binds, all of it within so many milliseconds. Nothing is left open when it fails. */
export async function openConnection(directory: Directory, credentials: Credentials, milliseconds: number): Promise<Connection> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error(`${directory.name} has not answered for ${milliseconds} ms`)), milliseconds)
  try {
    const connection = new Connection(await openSocket(directory, late.signal), directory.name)
    return await bound(connection, credentials, late.signal)
  } finally {
    clearTimeout(timer)
  }
}

async function bound(connection: Connection, credentials: Credentials, signal: AbortSignal): Promise<Connection> {
  try {
    if (credentials.method !== 'anonymous') await connection.bind(credentials, signal)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

async function openSocket(directory: Directory, signal: AbortSignal): Promise<Socket> {
  const { host, port, encryption } = directory
  if (encryption === 'tls') return ready(connectTls({ host, port, ...tlsOptions(directory) }), 'secureConnect', directory, signal)
  const socket = await ready(connectPlain({ host, port }), 'connect', directory, signal)
  return encryption === 'none' ? socket : await encrypted(socket, directory, signal)
}

async function encrypted(socket: Socket, directory: Directory, signal: AbortSignal): Promise<Socket> {
  try {
    const plain = await new Connection(socket, directory.name).startTls(signal)
    return await ready(connectTls({ socket: plain, ...tlsOptions(directory) }), 'secureConnect', directory, signal)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

// The certificate is always held against the name that was configured: by the name that is asked for, or the address.
function tlsOptions({ host, tls }: Directory): ConnectionOptions {
  const servername = isIP(host) === 0 ? { servername: host } : {}
  return { host, ...servername, ...tls, minVersion: 'TLSv1.2', rejectUnauthorized: true }
}

function ready(socket: Socket, event: 'connect' | 'secureConnect', { name }: Directory, signal: AbortSignal): Promise<Socket> {
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 30_000)
  // What still happens to a socket that was given up is nobody's concern, and must not end the process.
  socket.on('error', () => undefined)
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => settle(() => reject(new Error(`${name}: ${error.message || error.code}`)))
    const closed = () => fail(new Error('the connection was closed'))
    const late = () => settle(() => reject(signal.reason))
    const settle = (how: () => void) => {
      socket.removeListener('error', fail).removeListener('close', closed).removeListener(event, done)
      signal.removeEventListener('abort', late)
      how()
    }
    const done = () => settle(() => resolve(socket))
    socket.once(event, done).once('error', fail).once('close', closed)
    signal.addEventListener('abort', late, { once: true })
    if (signal.aborted) late()
  }).catch(error => {
    socket.destroy()
    throw error
  }) as Promise<Socket>
}
