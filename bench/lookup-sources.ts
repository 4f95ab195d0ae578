import { existsSync } from 'node:fs'
import { startLdap } from '../test/real/ldap.ts'
import { people, suffix } from '../test/real/ldap-people.ts'
import { postgresPassword, startPostgres } from '../test/real/postgres.ts'

/** A data store with ten thousand people, and the lookup that finds one of them by the number in the subject. */
export interface LookupSource {
  readonly name: string
  start(): Promise<StartedSource>
}

/** A data store that runs: what stands in the configuration, and how it ends. */
export interface StartedSource {
  /** Files beside `policies/data-stores/people.json`, by path. */
  readonly files: Readonly<Record<string, string>>
  readonly dataStore: object
  readonly lookup: object
  stop(): Promise<void>
}

const attributes = { number: { type: 'string' }, mail: { type: 'string' } }
const number = "{subject.sub.split('-')[1]}"
const numbers = Array.from({ length: people }, (_, index) => String(index))

/** A CSV file in the configuration folder. */
export const table: LookupSource = {
  name: 'a table',
  start: async () => ({
    files: { 'people.csv': `number,mail\n${numbers.map(each => `${each},p${each}@example.com`).join('\n')}\n` },
    dataStore: { type: 'table', file: 'people.csv', keys: ['number'], attributes },
    lookup: { where: { number } },
    stop: async () => undefined,
  }),
}

/** OpenLDAP on this machine. */
export const ldap: LookupSource = {
  name: 'LDAP',
  async start() {
    const server = await startLdap()
    return {
      files: {},
      dataStore: {
        ...{ type: 'ldap', servers: [server.url], base: suffix, bind: 'anonymous' },
        attributes: { employeeNumber: attributes.number, mail: { type: 'string' } },
      },
      lookup: { filter: `(employeeNumber=${number})`, attributes: ['mail'] },
      stop: () => server.stop(),
    }
  },
}

/** PostgreSQL on this machine. */
export const sql: LookupSource = {
  name: 'SQL',
  async start() {
    const server = await startPostgres()
    await server.query('CREATE TABLE people (number text PRIMARY KEY, mail text NOT NULL)')
    await server.query(`INSERT INTO people SELECT n::text, 'p' || n || '@example.com' FROM generate_series(0, ${people}) n`)
    return {
      files: { 'secrets/database': postgresPassword },
      dataStore: {
        ...{ type: 'sql', engine: 'postgresql', host: '127.0.0.1', port: server.port, database: 'postgres', username: 'postgres' },
        ...{ password: { file: 'secrets/database' }, tls: false, attributes },
      },
      lookup: { table: 'people', where: { number } },
      stop: () => server.stop(),
    }
  },
}

/** Those whose servers are on this machine. */
export function lookupSources(): readonly LookupSource[] {
  const has = (...paths: string[]) => paths.some(path => existsSync(path))
  return [
    table,
    ...(has('/usr/sbin/slapd', '/usr/libexec/slapd') ? [ldap] : []),
    ...(has('/usr/local/bin/postgres', '/usr/lib/postgresql') ? [sql] : []),
  ]
}
