import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { freePort } from '../support/free-port.ts'
import { DatabaseProcess, type RealDatabase } from './database-process.ts'
import { isInstalled, notInstalled, runUnprivileged, unprivilegedFolder } from './unprivileged.ts'

/** The password of `root`, and of `lookups`, in every server that is started here. */
export const mariadbPassword = 'of-the-test'

/** Skips the suite where there is no MariaDB to start, and says so; with CAMBIST_REQUIRE_MARIADB=1 that is a failure. */
export function requireMariadb(context: Mocha.Context): void {
  if (!isInstalled('mariadbd') || !isInstalled('mariadb-install-db'))
    notInstalled(context, 'CAMBIST_REQUIRE_MARIADB', 'there is no MariaDB on this machine', 'apt-get install mariadb-server')
}

/** Starts a MariaDB on a free port, with TLS where it is given a certificate, and with a database `hr`. */
export async function startMariadb(tls?: { certificatePem: string; privateKeyPem: string }): Promise<RealDatabase> {
  const folder = await unprivilegedFolder('mariadb')
  const port = await freePort()
  const data = join(folder.path, 'data')
  // A server that starts removes the temporary tables of all others that have the same folder for them.
  const temporary = `--tmpdir=${folder.path}`
  await runUnprivileged('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, temporary, '--skip-test-db'])
  const first = join(folder.path, 'first.sql')
  await writeFile(
    first,
    [
      `CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '${mariadbPassword}';`,
      `GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;`,
      `CREATE USER IF NOT EXISTS 'lookups'@'127.0.0.1' IDENTIFIED BY '${mariadbPassword}';`,
      `GRANT ALL ON *.* TO 'lookups'@'127.0.0.1';`,
      'CREATE DATABASE IF NOT EXISTS hr CHARACTER SET utf8mb4;',
    ].join('\n'),
  )
  const files = [
    temporary,
    `--datadir=${data}`,
    `--socket=${join(folder.path, 's')}`,
    `--pid-file=${join(folder.path, 'pid')}`,
    `--init-file=${first}`,
  ]
  const small = ['--innodb-buffer-pool-size=16M', '--innodb-flush-log-at-trx-commit=2', '--skip-log-bin', '--skip-name-resolve']
  const args = ['--no-defaults', ...files, ...small, ...(await tlsSettings(folder.path, tls)), '--bind-address=127.0.0.1', `--port=${port}`]
  const server = new DatabaseProcess({ port, command: 'mariadbd', args, query: text => query(port, text), remove: folder.remove })
  await server.start()
  return server
}

async function tlsSettings(folder: string, tls?: { certificatePem: string; privateKeyPem: string }): Promise<string[]> {
  if (tls === undefined) return []
  const [certificate, key] = [join(folder, 'server.crt'), join(folder, 'server.key')]
  await writeFile(certificate, tls.certificatePem)
  await writeFile(key, tls.privateKeyPem)
  return [`--ssl-cert=${certificate}`, `--ssl-key=${key}`]
}

async function query(port: number, text: string) {
  const connection = await mysql.createConnection({
    host: '127.0.0.1',
    port,
    user: 'root',
    password: mariadbPassword,
    database: 'hr',
    multipleStatements: true,
    connectTimeout: 10_000,
  })
  connection.on('error', () => {})
  try {
    const [result] = await connection.query(text)
    const rows: unknown = Array.isArray(result) && Array.isArray(result.at(-1)) ? result.at(-1) : result
    return Array.isArray(rows) ? (rows as ReadonlyArray<Record<string, unknown>>) : []
  } finally {
    connection.destroy()
  }
}
