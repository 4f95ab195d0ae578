import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../support/free-port.ts'
import { DatabaseProcess, type RealDatabase } from './database-process.ts'
import { notInstalled, runUnprivileged, unprivilegedFolder } from './unprivileged.ts'

/** The password of `postgres` in every server that is started here. */
export const postgresPassword = 'of-the-test'

// Debian has the programs of each version in a folder of its own, beside the path.
const folders = ['/usr/local/bin', ...[17, 16, 15, 14, 13].map(version => `/usr/lib/postgresql/${version}/bin`), '/usr/bin']
const binaries = folders.find(folder => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))

/** Skips the suite where there is no PostgreSQL to start, and says so; with CAMBIST_REQUIRE_POSTGRES=1 that is a failure. */
export function requirePostgres(context: Mocha.Context): void {
  if (binaries === undefined)
    notInstalled(context, 'CAMBIST_REQUIRE_POSTGRES', 'there is no PostgreSQL on this machine', 'apt-get install postgresql')
}

/** Starts a PostgreSQL on a free port, with TLS where it is given a certificate. It asks everybody for a password. */
export async function startPostgres(tls?: { certificatePem: string; privateKeyPem: string }): Promise<RealDatabase> {
  const folder = await unprivilegedFolder('postgres')
  const port = await freePort()
  const data = join(folder.path, 'data')
  await runUnprivileged(join(binaries ?? '', 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'])
  await writeFile(join(data, 'pg_hba.conf'), 'host all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n')
  await setPassword(data)
  if (tls !== undefined) await writeTls(data, tls)
  const settings = ['fsync=off', 'max_connections=60', `unix_socket_directories=${folder.path}`, 'listen_addresses=localhost,127.0.0.1']
  if (tls !== undefined) settings.push('ssl=on', 'ssl_cert_file=server.crt', 'ssl_key_file=server.key')
  const args = ['-D', data, '-p', String(port), ...settings.flatMap(setting => ['-c', setting])]
  const command = join(binaries ?? '', 'postgres')
  const server = new DatabaseProcess({ port, command, args, query: text => query(port, text), remove: folder.remove })
  await server.start()
  return server
}

// In the mode of a single user it asks for nothing.
async function setPassword(data: string): Promise<void> {
  const root = process.getuid?.() === 0
  const { status, stderr } = spawnSync(join(binaries ?? '', 'postgres'), ['--single', '-D', data, 'postgres'], {
    input: `ALTER USER postgres PASSWORD '${postgresPassword}'\n`,
    ...(root ? { uid: 65534, gid: 65534 } : {}),
    cwd: data,
  })
  if (status !== 0) throw new Error(`postgres --single ended with ${status}: ${stderr}`)
}

async function writeTls(data: string, { certificatePem, privateKeyPem }: { certificatePem: string; privateKeyPem: string }) {
  const key = join(data, 'server.key')
  await writeFile(join(data, 'server.crt'), certificatePem)
  await writeFile(key, privateKeyPem)
  await chmod(key, 0o600)
  if (process.getuid?.() === 0) await chown(key, 65534, 65534)
}

async function query(port: number, text: string) {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: postgresPassword,
    database: 'postgres',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const result: pg.QueryResult | pg.QueryResult[] = await client.query(text)
    return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? []
  } finally {
    await client.end().catch(() => undefined)
  }
}
