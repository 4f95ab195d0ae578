import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import { machineTime } from './machine-time.ts'
import { type BenchClient, type Exchange, names } from './material.ts'
import { makeRequests } from './requests.ts'

// The load generator, a process of its own: as many requests at once as there are connections, each sent when the one before was answered.
// It writes whole requests that were made beforehand and reads no more of an answer than it must, so that it costs little.

/** What the requests go through, and what they prove. */
export interface Wire {
  /** TLS on connections that are kept alive, or on a new one for each request: with a session that is resumed, or the whole handshake. */
  readonly tls?: 'kept' | 'resumed' | 'whole'
  /** A DPoP proof with each request, made when it is sent. */
  readonly dpop?: true
}

/** What the generator is asked for. */
export interface LoadOrder {
  readonly port: number
  readonly path: string
  readonly wire: Wire
  readonly exchange: Exchange
  readonly keys: string
  /** A JSON file with the clients that the requests are spread over. */
  readonly clients: string
  readonly connections: number
  /** Seconds of load before the measurement. */
  readonly settle: number
  readonly seconds: number
  /** The processes whose CPU time is counted. */
  readonly processes: readonly number[]
}

/** What was seen in the seconds that count. */
export interface LoadFigures {
  readonly perSecond: number
  /** Microseconds of CPU per exchange, of all the processes together. */
  readonly cpu: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** The part of the machine's time that programs which are not part of the benchmark took meanwhile. */
  readonly others: number
}

const requestsInPool = 4000
const pools = new Map<string, Buffer[]>()

process.on('message', async (order: LoadOrder) => {
  try {
    process.send?.(await run(order))
  } catch (error) {
    process.send?.({ problem: String(error) })
  }
})
process.on('disconnect', () => process.exit())

async function run(order: LoadOrder): Promise<LoadFigures> {
  const load = new Load(order, await poolOf(order))
  load.start(order.connections)
  await load.during(order.settle)
  load.forget()
  const cpuBefore = cpuNanoseconds(order.processes)
  const machineBefore = machineTime()
  const started = performance.now()
  await load.during(order.seconds)
  await load.atLeastOne()
  const seconds = (performance.now() - started) / 1000
  const cpu = cpuNanoseconds(order.processes) - cpuBefore
  const machine = machineTime()
  const ours = cpu / 1e9 + machine.mine - machineBefore.mine
  const milliseconds = load.stop()
  const count = milliseconds.length
  return {
    perSecond: count / seconds,
    cpu: cpu / 1000 / count,
    p50: milliseconds[count >> 1] ?? 0,
    p99: milliseconds[Math.floor(count * 0.99)] ?? 0,
    others: Math.max(0, machine.busy - machineBefore.busy - ours) / (machine.total - machineBefore.total),
  }
}

async function poolOf({ keys, clients, exchange, path }: LoadOrder): Promise<Buffer[]> {
  const name = JSON.stringify([keys, clients, exchange, path])
  const known = pools.get(name)
  if (known !== undefined) return known
  const senders = JSON.parse(readFileSync(clients, 'utf8')) as BenchClient[]
  const requests = await makeRequests(Math.max(requestsInPool, senders.length), keys, exchange, path, senders)
  pools.set(name, requests)
  return requests
}

class Load {
  readonly #port: number
  readonly #wire: Wire
  readonly #requests: readonly Buffer[]
  readonly #sockets = new Set<Socket>()
  #session: Buffer | undefined
  #next = 0
  #milliseconds: number[] = []
  #stopping = false
  #fail: (error: Error) => void = () => undefined
  readonly #failed = new Promise<never>((_, reject) => {
    this.#fail = reject
  })

  constructor({ port, wire }: Pick<LoadOrder, 'port' | 'wire'>, requests: readonly Buffer[]) {
    this.#port = port
    this.#wire = wire
    this.#requests = requests
    this.#failed.catch(() => undefined)
  }

  start(connections: number): void {
    for (let index = 0; index < connections; index++) this.#open()
  }

  async during(seconds: number): Promise<void> {
    await Promise.race([this.#failed, new Promise(resolve => setTimeout(resolve, seconds * 1000))])
  }

  /** On a machine that is busy with other things, a short time may be over before anything was answered. */
  async atLeastOne(): Promise<void> {
    for (let seconds = 0; this.#milliseconds.length === 0; seconds += 0.1) {
      if (seconds > 30) throw new Error('nothing was answered')
      await this.during(0.1)
    }
  }

  forget(): void {
    this.#milliseconds = []
  }

  /** The durations since the last `forget`, in order. */
  stop(): number[] {
    this.#stopping = true
    for (const socket of this.#sockets) socket.destroy()
    return this.#milliseconds.sort((left, right) => left - right)
  }

  #open(): void {
    const asked = performance.now()
    const socket = this.#connect(() => send(asked))
    this.#sockets.add(socket)
    let since = 0
    let received = ''
    let done = false
    const send = (from: number) => {
      since = from
      socket.write(this.#request())
    }
    socket.on('data', chunk => {
      received = received === '' ? chunk.toString('latin1') : received + chunk.toString('latin1')
      if (!isWhole(received)) return
      if (!isToken(received, this.#wire)) this.#fail(new Error(`an answer is no token: ${received.slice(0, 600)}`))
      this.#milliseconds.push(performance.now() - since)
      received = ''
      done = this.#wire.tls === 'resumed' || this.#wire.tls === 'whole'
      if (done) socket.end()
      else send(performance.now())
    })
    socket.on('error', error => this.#fail(error))
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (this.#stopping) return
      if (done) this.#open()
      else this.#fail(new Error('the server closed a connection'))
    })
  }

  // Of a connection for one request, the handshake counts.
  #connect(ready: () => void): Socket {
    const address = { port: this.#port, host: '127.0.0.1' }
    const { tls } = this.#wire
    if (tls === undefined) return connect({ ...address, noDelay: true }, ready)
    const session = tls === 'resumed' && this.#session !== undefined ? { session: this.#session } : {}
    const socket = connectByTls({ ...address, ...session, rejectUnauthorized: false }, ready)
    socket.setNoDelay(true)
    socket.on('session', fresh => {
      this.#session = fresh
    })
    return socket
  }

  #request(): Buffer {
    const request = this.#requests[this.#next] as Buffer
    this.#next = (this.#next + 1) % this.#requests.length
    if (!this.#wire.dpop) return request
    const firstLine = request.indexOf('\r\n') + 2
    return Buffer.concat([request.subarray(0, firstLine), Buffer.from(`DPoP: ${dpopProof()}\r\n`), request.subarray(firstLine)])
  }
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const proofHeader = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) })

/** A proof (RFC 9449 §4.2) that nobody has seen before. */
function dpopProof(): string {
  const claims = { jti: randomUUID(), htm: 'POST', htu: `${names.server}/token`, iat: Math.floor(Date.now() / 1000) }
  const input = `${proofHeader}.${encoded(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function isWhole(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n')
  if (head < 0) return false
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(answer)
  return length !== null && answer.length >= head + 4 + Number(length[1])
}

function isToken(answer: string, { dpop }: Wire): boolean {
  if (dpop && !answer.includes('"token_type":"DPoP"')) return false
  return answer.startsWith('HTTP/1.1 200 ') && (answer.includes('"access_token":"') || answer.includes('<wst:RequestedSecurityToken>'))
}

/** The time for which the threads of these processes were running, in nanoseconds: the first field of each (sched-stats in the kernel's documentation). */
function cpuNanoseconds(processes: readonly number[]): number {
  const threads = processes.flatMap(pid => readdirSync(`/proc/${pid}/task`).map(thread => `/proc/${pid}/task/${thread}/schedstat`))
  return threads.reduce((sum, file) => sum + Number(readFileSync(file, 'latin1').split(' ')[0]), 0)
}
