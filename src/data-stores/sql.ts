import { isIP } from 'node:net'
import type { Parts } from '../plugin.ts'
import type { StoreClient } from './data-store.ts'
import { isThisMachine } from './ldap/settings.ts'
import { SqlClient } from './sql/client.ts'
import type { Login } from './sql/login.ts'
import { mysqlServer } from './sql/mysql.ts'
import { mysqlDialect } from './sql/mysql-dialect.ts'
import { postgresqlServer } from './sql/postgresql.ts'
import { postgresqlDialect } from './sql/postgresql-dialect.ts'
import { type SqlLookup, type SqlSettings, sqlLookupShape, sqlShape } from './sql/settings.ts'
import { dataStoreKind } from './store-kind.ts'
import { readTlsFiles, type TlsChoices } from './tls-files.ts'

/** A database: PostgreSQL, MySQL or MariaDB. */
export const sql = dataStoreKind('sql', sqlShape, sqlLookupShape, (settings, parts, sameness): StoreClient<SqlLookup> => {
  const { engine, host, port, database, attributes } = settings
  const login = loginOf(settings, parts)
  const isPostgresql = engine === 'postgresql'
  const server = parts.kept.of(['sql', sameness], () => (isPostgresql ? postgresqlServer(login) : mysqlServer(login)))
  const client = new SqlClient(attributes, server, isPostgresql ? postgresqlDialect : mysqlDialect)
  const where = port === undefined ? host : `${host}:${port}`
  parts.probe({ path: ['host'], what: `the database "${database}" of ${where}`, run: () => client.tryOut() })
  return client
})

function loginOf(settings: SqlSettings, parts: Parts): Login {
  const { engine, host, database, username, connections } = settings
  return {
    ...{ host, database, username },
    port: settings.port ?? (engine === 'postgresql' ? 5432 : 3306),
    // As an editor leaves a file.
    password: settings.password && parts.text(settings.password).replace(/\r?\n$/, ''),
    tls: tlsOf(settings, parts),
    connections: { ...connections, idle: connections.idle * 1000, timeout: connections.timeout * 1000 },
  }
}

function tlsOf(settings: SqlSettings, parts: Parts): TlsChoices | undefined {
  const { engine, host, tls } = settings
  if (tls) {
    // The driver would compare the certificate with "localhost".
    if (engine !== 'postgresql' && isIP(host) !== 0) parts.problem(['host'], 'expected a name, since the certificate is made out to a name')
    return readTlsFiles(settings, parts)
  }
  for (const member of ['ca', 'certificate', 'privateKey'] as const) {
    if (settings[member] !== undefined) parts.problem([member], 'is for encrypted connections, and "tls" is false')
  }
  if (!isThisMachine(host))
    parts.warn('sql-unencrypted', ['tls'], 'the password of this server, and what is looked up, can be read on the way')
  return undefined
}
