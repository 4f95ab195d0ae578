import { Socket } from 'node:net'
import type pg from 'pg'
import { drivers } from '../../drivers.ts'
import { briefly, farewellMilliseconds, type Login, Sockets } from './login.ts'
import { typeParser } from './postgresql-values.ts'
import { type Answer, type Driver, type Failure, type Question, SqlServer, type SqlValue } from './server.ts'

/** A PostgreSQL server. Nothing is connected until it is asked something. */
export function postgresqlServer(login: Login): SqlServer<pg.PoolClient> {
  return new SqlServer(new PostgresqlDriver(login))
}

class PostgresqlDriver implements Driver<pg.PoolClient> {
  readonly #settings: pg.ClientConfig
  readonly #sockets = new Sockets()
  readonly #pool: pg.Pool
  readonly #mostWaiting: number

  constructor(login: Login) {
    const { max, idle, waiting } = login.connections
    this.#mostWaiting = waiting
    this.#settings = { ...settingsOf(login), stream: () => this.#sockets.watch(new Socket()) }
    this.#pool = new drivers.postgresql.Pool({ ...this.#settings, max, idleTimeoutMillis: idle })
    // Nobody else listens to a connection that breaks while it is not used, or between two statements.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', client => client.on('error', () => {}))
  }

  async borrow(): Promise<pg.PoolClient> {
    if (this.#pool.waitingCount >= this.#mostWaiting) throw new Error('too many lookups wait for a connection')
    return await this.#pool.connect()
  }

  giveBack(connection: pg.PoolClient, sound: boolean): void {
    connection.release(!sound)
  }

  async prepare(connection: pg.PoolClient, milliseconds: number): Promise<void> {
    await connection.query(
      `SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET statement_timeout = ${Math.ceil(milliseconds)}; ` +
        "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex'; " +
        'SET standard_conforming_strings = on',
    )
  }

  ask(connection: pg.PoolClient, { text, values, atMost }: Question): Promise<Answer> {
    const rows: SqlValue[][] = []
    const types = { getTypeParser: typeParser } as unknown as pg.CustomTypesConfig
    // With the extended protocol a text with two statements is an error.
    const config = { text, values: [...values], rowMode: 'array', types, queryMode: 'extended' }
    const query = new drivers.postgresql.Query<SqlValue[]>(config as pg.QueryConfig)
    return new Promise((resolve, reject) => {
      query.on('row', row => rows.length < atMost && rows.push(row))
      query.on('error', reject)
      query.on('end', ({ fields }) => resolve({ columns: fields.map(({ name }) => name), rows }))
      connection.query(query)
    })
  }

  // The protocol's own request to cancel would travel without TLS, and with it the key that allows it.
  async cancel(connection: pg.PoolClient): Promise<void> {
    const { processID } = connection as unknown as { processID: number | null }
    const limits = { connectionTimeoutMillis: farewellMilliseconds, query_timeout: farewellMilliseconds }
    const client = new drivers.postgresql.Client({ ...this.#settings, ...limits })
    client.on('error', () => {})
    await client.connect()
    try {
      await client.query('SELECT pg_cancel_backend($1)', [processID])
    } finally {
      await client.end()
    }
  }

  failure(error: unknown): Failure {
    if (!(error instanceof drivers.postgresql.DatabaseError)) return 'lost'
    const { code = '', severity, where = '' } = error
    // The server goes down, or says that it is about to.
    if (severity === 'FATAL' || severity === 'PANIC' || code.startsWith('57P') || code.startsWith('08')) return 'lost'
    // "unnamed portal parameter $1": a value of class 22 (data exception) that came with the question, not out of a table.
    const ofValue = code === '22021' || code === '22P05' || (code.startsWith('22') && /\$[0-9]/.test(where))
    if (ofValue) return 'unfit-value'
    return isWorkedOutBadly(code, where, error.position) ? 'unfit-data' : 'refused'
  }

  describe(error: unknown): string {
    if (!(error instanceof drivers.postgresql.DatabaseError)) return error instanceof Error ? error.message : 'unknown'
    const { code = '', message } = error
    // Messages of other classes may repeat values; so may those of what came out of a value.
    return /^(08|28|3D|3F|42|53|57)/.test(code) && !this.failure(error).startsWith('unfit') ? `${message} (${code})` : `the error ${code}`
  }

  async close(): Promise<void> {
    await briefly(this.#pool.end())
    this.#sockets.destroy()
  }
}

/**
 * Whether the statement itself is sound (the manual's appendix A): a subquery with several rows, data of another form, a limit of the
 * program, what a function raises; a search text or a path that is none, which nobody knows before the statement runs.
 */
function isWorkedOutBadly(code: string, where: string, position: string | undefined): boolean {
  if (/^(2[12]|54|P0)/.test(code)) return true
  if (code.startsWith('42') && /\$[0-9]/.test(where)) return true
  // What is wrong with the statement's own text has a place there.
  return (code === '42601' || code === '0A000') && position === undefined
}

function settingsOf({ host, port, database, username, password, tls, connections }: Login): pg.ClientConfig {
  return {
    ...{ host, port, database, user: username },
    // Without one the driver would look into the environment and the home folder.
    password: () => password ?? '',
    // The certificate has to be made out to the host.
    ssl: tls === undefined ? false : { ...tls, rejectUnauthorized: true },
    connectionTimeoutMillis: connections.timeout,
    application_name: 'cambist',
  }
}
