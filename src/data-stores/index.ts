/** Every kind of data store. Another one is a file beside these and a line here. */
import { ldap } from './ldap.ts'
import { table } from './table.ts'

export const dataStoreKinds = [ldap, table] as const
