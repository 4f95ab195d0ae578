import { z } from 'zod'
import { externalText, lifetime, strict, template } from '../../config/values.ts'
import { storeAttributes } from '../store-kind.ts'
import { tlsFiles } from '../tls-files.ts'

const connections = strict({
  max: z.int().min(1).max(1000).default(10).meta({ description: 'The most that are open, of each process of this server' }),
  waiting: z.int().min(1).max(100_000).default(1000).meta({ description: 'The most lookups that wait for one' }),
  idle: lifetime.default(30).meta({ description: 'One that nobody has used for so long is closed (default "30s")' }),
  timeout: lifetime.default(5).meta({ description: 'How long one may take to open, with TLS and password (default "5s")' }),
})

/** The members of the file of an `sql` data store. */
export const sqlShape = {
  engine: z.enum(['postgresql', 'mysql', 'mariadb']).meta({ description: 'Whose database it is' }),
  host: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, 'expected a host name or an address, without scheme and port')
    .meta({ description: 'The name or the address of the server' }),
  port: z.int().min(1).max(65535).optional().meta({ description: 'Its port (default: 5432 for PostgreSQL, 3306 for MySQL and MariaDB)' }),
  database: z.string().min(1).meta({ description: 'The database on that server' }),
  username: z.string().min(1).meta({ description: 'As whom this server asks; let it read and nothing else' }),
  password: externalText.optional().meta({ description: 'The password of that user' }),
  tls: z.boolean().default(true).meta({ description: 'Whether connections are encrypted; the certificate must be made out to "host"' }),
  ...tlsFiles,
  connections: connections.prefault({}),
  attributes: storeAttributes,
}

/** The settings of an `sql` data store. */
export type SqlSettings = z.output<z.ZodObject<typeof sqlShape>>

const name = z
  .string()
  .min(1)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what no name has.
  .regex(/^[^\u0000]+$/, 'has a character that no name has')

/** The members of a lookup in an `sql` data store. */
export const sqlLookupShape = {
  query: template
    .optional()
    .meta({ description: 'A SELECT statement in which {expression} is a bound parameter: "SELECT … WHERE mail = {subject.email}"' }),
  table: name.optional().meta({ description: 'Instead of "query": the table or view, "people" or "hr.people"' }),
  columns: z
    .record(z.string().min(1), name)
    .optional()
    .meta({ description: 'Beside "table": the columns of attributes that have other names there: { "employeeNumber": "emp_no" }' }),
  where: z
    .record(z.string().min(1), template)
    .optional()
    .meta({ description: 'Beside "table": what columns must be: { "mail": "{subject.email}" }' }),
  caseSensitive: z.boolean().optional().meta({ description: 'Beside "table": whether "A" and "a" are two in "where" (default true)' }),
}

/** A lookup in an `sql` data store. */
export type SqlLookup = z.output<z.ZodObject<typeof sqlLookupShape>>
