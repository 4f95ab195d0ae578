/** Every kind of data store. Another one is a file beside these and a line here. */
import { table } from './table.ts'

export const dataStoreKinds = [table] as const
