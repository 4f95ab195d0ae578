import { Outage, SaidCause } from '../../oauth/errors.ts'
import { UnfitAnswer } from '../unfit-answer.ts'

/** What a database server is asked. */
export interface Question {
  readonly text: string
  /** What its parameters are bound to. Always texts: the server makes of them what it compares them with, or says that it cannot. */
  readonly values: ReadonlyArray<string | null>
  /** How many rows anybody looks at. */
  readonly atMost: number
  /** After which time the server may stop by itself. */
  readonly milliseconds: number
}

/** A value as a database has it: JSON, or a number of so many digits that JSON may lose some. */
export type SqlValue = string | number | boolean | null | Digits | readonly SqlValue[] | Parsed

/** A number as the database wrote it. */
export class Digits {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** The value of a JSON column. */
export class Parsed {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** What a database server answered: the names of the columns, and the rows in that order. */
export interface Answer {
  readonly columns: readonly string[]
  readonly rows: ReadonlyArray<readonly SqlValue[]>
}

/** Why a question has no answer. */
export type Failure =
  /** The connection is gone; another one may do. */
  | 'lost'
  /** No column could have such a value, so that nothing is found. */
  | 'unfit-value'
  /** The statement cannot be worked out with what stands in the tables, or with what it makes of a value; the server is well. */
  | 'unfit-data'
  /** Something else, after which the connection can be used again. */
  | 'refused'

/** What a driver brings for one kind of server: connections out of its pool, and how they are asked. */
export interface Driver<Connection> {
  /** Waits for a connection of the pool, and makes one where there is room. */
  borrow(): Promise<Connection>
  /** Only a sound connection goes back to the pool; every other one is closed. */
  giveBack(connection: Connection, sound: boolean): void
  /** Makes a new connection a reading one, and says how long a statement may take. */
  prepare(connection: Connection, milliseconds: number): Promise<void>
  ask(connection: Connection, question: Question): Promise<Answer>
  /** Ends what runs on a connection that nobody listens to any more, over another connection. */
  cancel(connection: Connection): Promise<void>
  failure(error: unknown): Failure
  /** What may be said about the error: never a value. */
  describe(error: unknown): string
  close(): Promise<void>
}

/** A database server, asked over the connections of its driver's pool. */
export class SqlServer<Connection extends object = object> {
  readonly #driver: Driver<Connection>
  /** Of each connection, how long a statement may take there. */
  readonly #prepared = new WeakMap<Connection, number>()
  /** Those that have lain in the pool, where the server may have closed them, and nobody has noticed. */
  readonly #pooled = new WeakSet<Connection>()

  constructor(driver: Driver<Connection>) {
    this.#driver = driver
  }

  /** Throws an `Outage` when there is no answer, and ends what runs when the signal says that nobody waits any more. */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    try {
      return await this.#ask(question, signal, 2)
    } catch (error) {
      if (error instanceof Outage) throw error
      const failure = this.#driver.failure(error)
      if (failure === 'unfit-value') return { columns: [], rows: [] }
      const cause = new SaidCause(this.#driver.describe(error))
      // It has answered: else whoever may choose such a value could have everybody told that the database is down.
      if (failure === 'unfit-data') throw new UnfitAnswer('the database cannot work out the statement', cause)
      throw new Outage('the database cannot be asked', cause)
    }
  }

  async close(): Promise<void> {
    await this.#driver.close()
  }

  // Whoever reads may ask again: connections of the pool may be older than the server that runs now.
  async #ask(question: Question, signal: AbortSignal, attempts: number): Promise<Answer> {
    const connection = await this.#borrow(signal)
    const pooled = this.#pooled.has(connection)
    let sound = false
    try {
      const answer = await unlessAborted(this.#askOn(connection, question), signal)
      sound = true
      return answer
    } catch (error) {
      sound = !signal.aborted && this.#driver.failure(error) !== 'lost'
      if (signal.aborted) this.#cancel(connection)
      if (sound || signal.aborted || !pooled || attempts === 1) throw error
    } finally {
      this.#giveBack(connection, sound)
    }
    return await this.#ask(question, signal, attempts - 1)
  }

  async #borrow(signal: AbortSignal): Promise<Connection> {
    const coming = this.#driver.borrow()
    try {
      return await unlessAborted(coming, signal)
    } catch (error) {
      // It goes to whoever comes next.
      if (signal.aborted) coming.then(connection => this.#giveBack(connection, true)).catch(() => undefined)
      throw error
    }
  }

  #giveBack(connection: Connection, sound: boolean): void {
    if (sound) this.#pooled.add(connection)
    this.#driver.giveBack(connection, sound)
  }

  async #askOn(connection: Connection, question: Question): Promise<Answer> {
    if (this.#prepared.get(connection) !== question.milliseconds) {
      await this.#driver.prepare(connection, question.milliseconds)
      this.#prepared.set(connection, question.milliseconds)
    }
    return await this.#driver.ask(connection, question)
  }

  // Where it fails, the server's own limit ends the statement.
  #cancel(connection: Connection): void {
    this.#driver.cancel(connection).catch(() => undefined)
  }
}

/** The same promise, for those who wait until the signal; what becomes of it after that is nobody's concern. */
async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  work.catch(() => undefined)
  if (signal.aborted) throw tooLate()
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(tooLate())
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function tooLate(): Outage {
  return new Outage('the database does not answer in time')
}
