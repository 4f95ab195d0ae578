import type { Connection, FieldPacket, Pool, PoolConnection, PoolOptions, QueryError, RowDataPacket } from 'mysql2'
import { drivers } from '../../drivers.ts'
import { briefly, type Login, Sockets } from './login.ts'
import { sqlValue } from './mysql-values.ts'
import { type Answer, type Driver, type Failure, type Question, SqlServer, type SqlValue } from './server.ts'

/** A MySQL or MariaDB server. Nothing is connected until it is asked something. */
export function mysqlServer(login: Login): SqlServer<PoolConnection> {
  return new SqlServer(new MysqlDriver(login))
}

/** The server had to guess what a value means; what it has found then is not what was asked for. */
class GuessedValue extends Error {}

class MysqlDriver implements Driver<PoolConnection> {
  readonly #settings: PoolOptions
  readonly #sockets = new Sockets()
  readonly #limits: PoolOptions
  #pool: Pool | undefined

  constructor(login: Login) {
    const stream = () => this.#sockets.connect(login.host, login.port)
    this.#settings = { ...settingsOf(login), stream }
    const { max, idle, waiting } = login.connections
    // The driver closes idle connections only where fewer than all of them may be idle.
    this.#limits = { connectionLimit: max, maxIdle: Math.max(1, max - 1), idleTimeout: idle, queueLimit: waiting }
  }

  // From the first moment on it looks every second for idle connections: a command that asks nothing would never end.
  #started(): Pool {
    const pool = drivers.mysql.createPool({ ...this.#settings, ...this.#limits })
    pool.on('connection', connection => connection.on('error', () => {}))
    return pool
  }

  borrow(): Promise<PoolConnection> {
    this.#pool ??= this.#started()
    const pool = this.#pool
    return new Promise((resolve, reject) => {
      pool.getConnection((error, connection) => (error === null ? resolve(connection) : reject(error)))
    })
  }

  giveBack(connection: PoolConnection, sound: boolean): void {
    if (sound) connection.release()
    else connection.destroy()
  }

  async prepare(connection: PoolConnection, milliseconds: number): Promise<void> {
    await run(connection, 'SET SESSION TRANSACTION READ ONLY')
    // Each server takes the comment that is meant for it.
    const limits = `/*!50708 , max_execution_time = ${Math.ceil(milliseconds)} */ /*M! , max_statement_time = ${milliseconds / 1000} */`
    // A server that is told to keep no warnings would let a guessed value pass (`hasGuessed`).
    await run(connection, `SET SESSION time_zone = '+00:00', max_error_count = 1000 ${limits}`)
  }

  async ask(connection: PoolConnection, question: Question): Promise<Answer> {
    const answer = await execute(connection, question)
    if (question.values.length > 0 && (await hasGuessed(connection))) throw new GuessedValue()
    return answer
  }

  async cancel({ threadId }: PoolConnection): Promise<void> {
    if (threadId === null) return
    const connection = drivers.mysql.createConnection(this.#settings)
    connection.on('error', () => {})
    try {
      await briefly(run(connection, `KILL QUERY ${threadId}`))
    } finally {
      connection.destroy()
    }
  }

  failure(error: unknown): Failure {
    if (error instanceof GuessedValue) return 'unfit-value'
    const { fatal, sqlState, errno = 0 } = error as QueryError
    // The server goes down (1053, 1927), or has ended the connection (1152, 1184, 4031).
    if (fatal === true || sqlState === undefined || [1053, 1152, 1184, 1927, 4031].includes(errno)) return 'lost'
    if (unfit.has(errno)) return 'unfit-value'
    // Classes 21, 22 and 45: a subquery with several rows, data of another form, what a function signals.
    return /^(2[12]|45)/.test(sqlState) || isNoPattern(errno) ? 'unfit-data' : 'refused'
  }

  describe(error: unknown): string {
    const { sqlState, code, message } = error as QueryError
    // Messages of other classes may repeat values.
    return sqlState === undefined || (/^(08|28|42)/.test(sqlState) && this.failure(error) !== 'unfit-data')
      ? message || (code ?? 'unknown')
      : `the error ${code}`
  }

  async close(): Promise<void> {
    const pool = this.#pool
    if (pool !== undefined) await briefly(new Promise(resolve => pool.end(resolve)))
    this.#sockets.destroy()
  }
}

// No column of that type or character set could have the value: a wrong date or number, a character that is not in the set.
const unfit = new Set([1267, 1292, 1300, 1366, 1411, 1525, 3854, 3988])

// A value that is no regular expression (of MariaDB, of MySQL), or no path in JSON: nobody knows before the statement runs.
function isNoPattern(errno: number): boolean {
  return errno === 1139 || (errno >= 3684 && errno <= 3700) || errno === 3143
}

function settingsOf({ host, port, database, username, password, tls, connections }: Login): PoolOptions {
  return {
    ...{ host, port, database, user: username, ...(password === undefined ? {} : { password }) },
    // By itself the driver takes a certificate of any name.
    ...(tls === undefined ? {} : { ssl: { ...tls, rejectUnauthorized: true, verifyIdentity: true } as never }),
    ...{ connectTimeout: connections.timeout, charset: 'utf8mb4', multipleStatements: false, flags: ['-LOCAL_FILES'] },
    // As the server wrote them, so that no digit is lost.
    ...{ supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, jsonStrings: true, timezone: 'Z' },
    // Names of columns never become code.
    disableEval: true,
  }
}

/** Binds the values on the server; nothing is put into the text here. */
function execute(connection: PoolConnection, { text, values, atMost }: Question): Promise<Answer> {
  const rows: SqlValue[][] = []
  let columns: readonly FieldPacket[] = []
  return new Promise((resolve, reject) => {
    const query = connection.execute({ sql: text, rowsAsArray: true }, [...values])
    const settled = (error?: Error) => {
      connection.removeListener('error', settled)
      if (error === undefined) resolve({ columns: columns.map(({ name }) => name), rows })
      else reject(error)
    }
    // A statement without a callback does not hear of a connection that ends; who waited for it would wait for ever.
    connection.on('error', settled)
    query.on('error', settled)
    query.on('fields', (fields: readonly FieldPacket[]) => {
      columns = fields
    })
    query.on('result', (row: unknown[]) => {
      if (rows.length < atMost) rows.push(row.map((value, index) => sqlValue(value, columns[index])))
    })
    query.on('end', () => settled())
  })
}

// Where a text is compared with a number, "abc" becomes 0 and "5 or so" 5, and all that is heard of it is a warning.
async function hasGuessed(connection: PoolConnection): Promise<boolean> {
  const warnings = await run(connection, 'SHOW WARNINGS')
  return warnings.some(({ Code }) => unfit.has(Number(Code)))
}

function run(connection: Connection | PoolConnection, text: string): Promise<readonly RowDataPacket[]> {
  return new Promise((resolve, reject) => {
    connection.query<RowDataPacket[]>(text, (error, rows) => (error === null ? resolve(rows) : reject(error)))
  })
}
