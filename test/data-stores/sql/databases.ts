import { SqlClient } from '../../../src/data-stores/sql/client.ts'
import type { Login } from '../../../src/data-stores/sql/login.ts'
import { mysqlServer } from '../../../src/data-stores/sql/mysql.ts'
import { mysqlDialect } from '../../../src/data-stores/sql/mysql-dialect.ts'
import { postgresqlServer } from '../../../src/data-stores/sql/postgresql.ts'
import { postgresqlDialect } from '../../../src/data-stores/sql/postgresql-dialect.ts'
import type { SqlServer } from '../../../src/data-stores/sql/server.ts'
import type { JsonObject } from '../../../src/json.ts'
import type { RealDatabase } from '../../real/database-process.ts'
import { mariadbPassword, requireMariadb, startMariadb } from '../../real/mariadb.ts'
import { postgresPassword, requirePostgres, startPostgres } from '../../real/postgres.ts'

/** One kind of database server, for tests that hold for each. */
export interface Kind {
  readonly name: 'postgresql' | 'mariadb'
  require(context: Mocha.Context): void
  start(tls?: { certificatePem: string; privateKeyPem: string }): Promise<RealDatabase>
  login(port: number, others?: Partial<Login>): Login
  server(login: Login): SqlServer
  /** A statement that takes as many seconds as the value says. */
  readonly sleep: string
  /** How many connections of the lookups are open, and how many of these run something. */
  open(database: RealDatabase): Promise<{ readonly all: number; readonly busy: number }>
}

const connections = { max: 4, waiting: 1000, idle: 30_000, timeout: 5_000 }

const postgresql: Kind = {
  name: 'postgresql',
  require: requirePostgres,
  start: startPostgres,
  login: (port, others) => ({
    ...{ host: 'localhost', port, database: 'postgres', username: 'postgres', password: postgresPassword, tls: undefined, connections },
    ...others,
  }),
  server: login => postgresqlServer(login),
  sleep: 'SELECT 1 AS id FROM pg_sleep({v}::float)',
  async open(database) {
    const rows = await database.query("SELECT state FROM pg_stat_activity WHERE application_name = 'cambist'")
    return { all: rows.length, busy: rows.filter(({ state }) => state === 'active').length }
  },
}

const mariadb: Kind = {
  name: 'mariadb',
  require: requireMariadb,
  start: startMariadb,
  login: (port, others) => ({
    ...{ host: 'localhost', port, database: 'hr', username: 'lookups', password: mariadbPassword, tls: undefined, connections },
    ...others,
  }),
  server: login => mysqlServer(login),
  sleep: 'SELECT SLEEP({v}) AS id',
  async open(database) {
    const rows = await database.query("SELECT command FROM information_schema.processlist WHERE user = 'lookups'")
    return { all: rows.length, busy: rows.filter(({ command }) => command !== 'Sleep').length }
  },
}

/** Every kind of database server. */
export const kinds = [postgresql, mariadb] as const

/** A store with these attributes in that database. */
export function storeIn(kind: Kind, server: SqlServer, attributes: Readonly<Record<string, JsonObject>>): SqlClient {
  return new SqlClient(attributes, server, kind.name === 'postgresql' ? postgresqlDialect : mysqlDialect)
}
