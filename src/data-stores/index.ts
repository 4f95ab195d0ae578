/** Every kind of data store. Another one is a file beside these and a line here. */
import { http } from './http.ts'
import { ldap } from './ldap.ts'
import { sql } from './sql.ts'
import { table } from './table.ts'

export const dataStoreKinds = [http, ldap, sql, table] as const
