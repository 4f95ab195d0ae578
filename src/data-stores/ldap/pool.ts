import type { Logger } from 'pino'
import { Outage, SaidCause } from '../../oauth/errors.ts'
import type { Connection } from './connection.ts'
import { type Directories, isRefusedLogOn, type Opened } from './directories.ts'
import { rootSearch } from './root-search.ts'
import { Waiters } from './waiters.ts'

/** How many connections there are, and how long they are kept. */
export interface PoolSettings {
  /** As many stay open once the directory was asked for the first time. */
  readonly min: number
  readonly max: number
  /** More than this wait for none. */
  readonly mostWaiting: number
  /** A connection above `min` that nobody has used for so long is closed. */
  readonly idleMilliseconds: number
  /** How often those that nobody uses are tried. */
  readonly checkMilliseconds: number
}

interface Member extends Opened {
  /** It goes to its first user as soon as it is open. One that lies idle first may be closed by then, and nobody has noticed. */
  fresh: boolean
  busy: boolean
  since: number
  /** A better one has taken its place: it is closed when it is given back. */
  replaced: boolean
}

// Opening many at once would be one more burden for a server that has just come back.
const mostOpening = 2
const backOff = { first: 100, most: 2_000, refused: 30_000 } as const

/**
 * The connections to one directory. A caller has one for itself for as long as it asks. Connections that break are replaced; nobody
 * waits for a directory that cannot be reached.
 */
export class Pool {
  readonly #directories: Directories
  readonly #settings: PoolSettings
  readonly #log: Logger
  readonly #members = new Set<Member>()
  readonly #waiters: Waiters<Member>
  #opening = 0
  #failures = 0
  #failure: { readonly cause: Error; readonly until: number } | undefined
  #retry: NodeJS.Timeout | undefined
  #round: NodeJS.Timeout | undefined
  #closed = false

  constructor(directories: Directories, settings: PoolSettings, log: Logger) {
    this.#directories = directories
    this.#settings = settings
    this.#log = log
    this.#waiters = new Waiters(settings.mostWaiting)
  }

  /** How many connections are open or being opened. */
  get size(): number {
    return this.#members.size + this.#opening
  }

  /**
   * Does something with a connection. `signal` bounds the wait for it, too. What finds that a connection which had been idle is closed
   * does it once more with another one: nothing was done, since only questions are asked.
   */
  async use<Result>(signal: AbortSignal, ask: (connection: Connection) => Promise<Result>): Promise<Result> {
    for (;;) {
      const member = await this.#take(signal)
      const wasFresh = member.fresh
      member.fresh = false
      try {
        return await ask(member.connection)
      } catch (error) {
        if (wasFresh || !member.connection.closed || signal.aborted) throw error
      } finally {
        this.#giveBack(member)
      }
    }
  }

  /** Closes what nobody uses now, and the others as soon as they are given back. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
    clearInterval(this.#round)
    this.#waiters.refuse(new Outage('the data store was closed'))
    for (const member of this.#members) if (!member.busy) this.#drop(member)
  }

  async #take(signal: AbortSignal): Promise<Member> {
    signal.throwIfAborted()
    if (this.#closed) throw new Outage('the data store was closed')
    this.#round ??= setInterval(() => this.#goRound(), this.#settings.checkMilliseconds).unref()
    const free = [...this.#members].findLast(member => !member.busy && !member.connection.closed)
    if (free !== undefined) return busy(free)
    if (this.size === 0 && this.#failure !== undefined && Date.now() < this.#failure.until) throw outage(this.#failure.cause)
    const waiting = this.#waiters.wait(signal)
    this.#grow()
    return busy(await waiting)
  }

  #giveBack(member: Member): void {
    if (this.#closed || member.replaced || member.connection.closed) return this.#drop(member)
    if (member.connection.doubtful) return this.#prove(member)
    member.since = Date.now()
    member.busy = this.#waiters.serve(member)
    if (!member.busy) member.fresh = false
    // Those used last are at the end, and are taken first: the others become idle and can be closed.
    if (this.#members.delete(member)) this.#members.add(member)
  }

  /** Finds out whether anybody is there. Until then nobody else has the connection. */
  #prove(member: Member): void {
    const { since } = member
    member.busy = true
    member.connection.search(rootSearch, AbortSignal.timeout(this.#directories.settings.connectMilliseconds)).then(
      () => {
        this.#giveBack(member)
        // This was for nobody's sake: the connection is as idle as it was.
        member.since = since
      },
      () => this.#drop(member),
    )
  }

  #drop(member: Member): void {
    if (!this.#members.delete(member)) return
    member.connection.close()
    this.#grow()
  }

  #grow(): void {
    if (this.#closed || this.#retry !== undefined) return
    const wanted = Math.max(this.#waiters.count, this.#settings.min - this.#members.size)
    while (this.#opening < Math.min(wanted, mostOpening) && this.size < this.#settings.max) this.#open()
  }

  #open(): void {
    this.#opening++
    this.#directories.open().then(
      opened => this.#joined(opened),
      error => this.#failed(error),
    )
  }

  #joined(opened: Opened): void {
    this.#opening--
    if (this.#failure !== undefined) this.#log.info('the directory can be reached again')
    this.#failure = undefined
    this.#failures = 0
    this.#add(opened)
    this.#grow()
  }

  #add(opened: Opened): void {
    const member = { ...opened, fresh: true, busy: true, since: Date.now(), replaced: false }
    this.#members.add(member)
    member.connection.whenClosed = () => {
      if (!member.busy) this.#drop(member)
    }
    this.#giveBack(member)
  }

  #failed(cause: Error): void {
    this.#opening--
    if (this.#closed) return
    if (this.#failure === undefined) this.#log.warn({ cause: cause.message }, 'the directory cannot be reached')
    // A wrong password that is tried again and again locks the account.
    const pause = isRefusedLogOn(cause) ? backOff.refused : Math.min(backOff.most, backOff.first * 2 ** this.#failures++)
    const jittered = pause * (0.75 + Math.random() / 2)
    this.#failure = { cause, until: Date.now() + jittered }
    if (this.size === 0) this.#waiters.refuse(outage(cause))
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#tryAgain(), jittered).unref()
  }

  #tryAgain(): void {
    this.#retry = undefined
    this.#grow()
  }

  /** Closes connections that are idle for long, tries the others, and goes back to a server that comes first. */
  #goRound(): void {
    for (const member of [...this.#members].filter(({ busy }) => !busy)) {
      const isOld = Date.now() - member.since > this.#settings.idleMilliseconds
      if (isOld && this.#members.size > this.#settings.min) this.#drop(member)
      else this.#prove(member)
    }
    this.#goBack().catch(() => undefined)
  }

  async #goBack(): Promise<void> {
    const worst = Math.max(0, ...[...this.#members].map(({ server }) => server))
    const better = worst === 0 ? undefined : await this.#directories.openBefore(worst)
    if (better === undefined) return
    if (this.#closed) return better.connection.close()
    this.#add(better)
    for (const member of [...this.#members].filter(({ server }) => server > better.server)) {
      member.replaced = true
      if (!member.busy) this.#drop(member)
    }
  }
}

function busy(member: Member): Member {
  member.busy = true
  return member
}

function outage(cause: Error): Outage {
  return new Outage('the directory cannot be reached', new SaidCause(cause.message, { cause }))
}
