import type { Socket } from 'node:net'
import { Malformed } from './ber.ts'
import { MessageStream } from './message-stream.ts'
import {
  abandonRequest,
  bindRequest,
  type Credentials,
  type Entry,
  type Response,
  type Result,
  type ResultOf,
  readResponse,
  type Search,
  searchRequest,
  startTlsRequest,
  unbindRequest,
} from './messages.ts'
import { DirectoryRefusal, resultCodes } from './result-codes.ts'

/** What a search has found. */
export interface Found {
  readonly entries: readonly Entry[]
  /** Whether there are more than were asked for. */
  readonly more: boolean
  /** Whether another directory was said to have more. It was not asked. */
  readonly referred: boolean
}

interface Pending {
  readonly of: ResultOf
  readonly entries: Entry[]
  bytes: number
  referred: boolean
  settle(result: Result): void
  fail(error: Error): void
}

/** More than any lookup needs; less than what a directory run wild could fill the memory with. */
const mostBytes = { message: 4 * 1024 * 1024, search: 16 * 1024 * 1024 } as const
const lastId = 2 ** 31 - 1
const moreBeforeTls = 'more was sent before TLS began'

/**
 * One connection to a directory. It is never opened again: what was bound stays bound, what was encrypted stays encrypted, and when
 * it has closed nothing goes through it any more. Operations that are given up leave it usable.
 */
export class Connection {
  readonly name: string
  readonly #socket: Socket
  readonly #stream = new MessageStream(mostBytes.message)
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #closed: Error | undefined
  /** Operations were given up since it last answered: it may be that nobody is there. */
  #doubtful = false
  #tlsBegins = false
  #whenClosed: () => void = () => undefined

  /** `name` says in messages whom it goes to. */
  constructor(socket: Socket, name: string) {
    this.name = name
    this.#socket = socket
    socket.on('data', this.#received)
    socket.on('error', this.#failed)
    socket.on('close', this.#ended)
    // A connection that nobody waits for keeps no process from ending.
    socket.unref()
  }

  get closed(): boolean {
    return this.#closed !== undefined
  }

  get doubtful(): boolean {
    return this.#doubtful
  }

  set whenClosed(listener: () => void) {
    this.#whenClosed = listener
  }

  /** Says who is asking (RFC 4511 §4.2). Throws a `DirectoryRefusal`. */
  async bind(credentials: Credentials, signal: AbortSignal): Promise<void> {
    // RFC 4513 §5.1.2: a name without a password is taken for nobody, and that succeeds.
    if (credentials.method === 'simple' && credentials.password === '') throw new Error('an empty password proves nothing')
    const { result } = await this.#ask('bind', id => bindRequest(id, credentials), signal)
    if (result.code !== resultCodes.success) throw new DirectoryRefusal(`${this.name} refuses the bind`, result)
  }

  /** Throws a `DirectoryRefusal`; the reason of the signal when that came first. */
  async search(search: Search, signal: AbortSignal): Promise<Found> {
    const { result, pending } = await this.#ask('search', id => searchRequest(id, search), signal)
    const more = result.code === resultCodes.sizeLimitExceeded
    if (result.code !== resultCodes.success && !more) throw new DirectoryRefusal(`${this.name} refuses the search`, result)
    return { entries: pending.entries, more, referred: pending.referred }
  }

  /** Asks for TLS (RFC 4511 §4.14) and gives the socket back, on which nothing but TLS comes now. */
  async startTls(signal: AbortSignal): Promise<Socket> {
    const { result } = await this.#ask('extended', startTlsRequest, signal)
    if (result.code !== resultCodes.success) throw new DirectoryRefusal(`${this.name} refuses StartTLS`, result)
    if (this.#closed !== undefined) throw this.#closed
    if (!this.#stream.empty) throw new Malformed(moreBeforeTls)
    this.#release()
    return this.#socket
  }

  /** Ends it. Whatever is under way fails. */
  close(): void {
    if (this.closed) return
    const busy = this.#pending.size > 0
    this.#end(new Error(`the connection to ${this.name} was given up`))
    if (busy) this.#socket.destroy()
    else this.#socket.end(unbindRequest(this.#nextId()), () => this.#socket.destroy())
  }

  #ask(of: ResultOf, request: (id: number) => Buffer, signal: AbortSignal): Promise<{ result: Result; pending: Pending }> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) throw this.#closed
      signal.throwIfAborted()
      const id = this.#nextId()
      const giveUp = () => this.#abandon(id, signal.reason)
      const over = () => {
        signal.removeEventListener('abort', giveUp)
        this.#pending.delete(id)
        if (this.#pending.size === 0) this.#socket.unref()
      }
      const pending: Pending = {
        of,
        entries: [],
        bytes: 0,
        referred: false,
        settle: result => {
          over()
          resolve({ result, pending })
        },
        fail: error => {
          over()
          reject(error)
        },
      }
      this.#pending.set(id, pending)
      signal.addEventListener('abort', giveUp, { once: true })
      this.#socket.ref()
      this.#socket.write(request(id))
    })
  }

  #abandon(id: number, reason: unknown): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#doubtful = true
    pending.fail(reason instanceof Error ? reason : new Error('given up'))
    if (pending.of === 'search') this.#socket.write(abandonRequest(this.#nextId(), id))
    // A bind cannot be given up (RFC 4511 §4.11): who is bound is not known any more.
    else this.#destroy(new Error(`${this.name} did not answer in time`))
  }

  readonly #received = (chunk: Buffer): void => {
    try {
      for (const message of this.#stream.messagesWith(chunk)) this.#hear(readResponse(message), message.length)
    } catch (error) {
      this.#destroy(new Error(`${this.name} sent what is not LDAP`, { cause: error }))
    }
  }

  #hear(response: Response, bytes: number): void {
    this.#doubtful = false
    // Whoever is in between could put an answer in here that would be read as one that came encrypted.
    if (this.#tlsBegins) throw new Malformed(moreBeforeTls)
    this.#tlsBegins = response.kind === 'result' && response.of === 'extended'
    // RFC 4511 §4.4.1: it says that it is about to close the connection.
    if (response.id === 0) return this.#destroy(new Error(`${this.name} has closed the connection`))
    const pending = this.#pending.get(response.id)
    // An answer to what was given up.
    if (pending === undefined) return
    pending.bytes += bytes
    if (pending.bytes > mostBytes.search) throw new Malformed(`more than ${mostBytes.search} bytes of entries`)
    if (response.kind === 'entry') pending.entries.push(response.entry)
    else if (response.kind === 'reference') pending.referred = true
    else if (response.of === pending.of) pending.settle(response.result)
    else throw new Malformed('an answer to something else')
  }

  readonly #failed = (error: NodeJS.ErrnoException): void => {
    this.#destroy(new Error(`the connection to ${this.name} broke: ${error.message || error.code}`))
  }

  readonly #ended = (): void => {
    this.#destroy(new Error(`${this.name} has closed the connection`))
  }

  #destroy(error: Error): void {
    this.#end(error)
    this.#socket.destroy()
  }

  #end(error: Error): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    for (const pending of [...this.#pending.values()]) pending.fail(error)
    this.#whenClosed()
  }

  #release(): void {
    this.#closed = new Error('the connection was taken over')
    this.#socket.removeListener('data', this.#received).removeListener('error', this.#failed).removeListener('close', this.#ended)
    this.#socket.ref().pause()
  }

  #nextId(): number {
    this.#lastId = this.#lastId === lastId ? 1 : this.#lastId + 1
    return this.#lastId
  }
}
