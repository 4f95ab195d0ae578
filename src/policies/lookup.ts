import type { Answer } from '../data-stores/answers.ts'
import type { QueryValue, Row } from '../data-stores/data-store.ts'
import type { Expression } from '../expressions/expression.ts'

/** So many entries a lookup with `"many": "list"` may find; more are refused. */
export const longestList = 1_000

/** Further attributes that a mapping fetches from a data store before its expressions are evaluated. */
export interface Lookup {
  /** What expressions call it: `lookup.<name>`. */
  readonly name: string
  /** The data store, and its type. */
  readonly store: { readonly id: string; readonly type: string }
  /** Where it stands: `policies/processor-policies/partner.json processors[0].lookups.person`. */
  readonly setting: string
  /** The attributes that it fetches. */
  readonly attributes: readonly string[]
  /** What goes into its query, in the order in which the query wants it. */
  readonly values: readonly Expression[]
  /** What becomes of several entries where one is meant. */
  readonly many: 'first' | 'list' | 'refuse'
  readonly ifMissing: 'refuse' | 'empty'
  readonly ifDown: 'refuse' | 'empty'
  /** The query with these values in it, for a person. */
  describe(values: readonly QueryValue[]): string
  /** Throws an `Outage` when the store could not be asked, an `UnfitAnswer` when its answer is not what it declares. */
  ask(values: readonly QueryValue[]): Promise<Answer>
  /** What it passes on of an entry: the attributes that it fetches. Throws an `UnfitAnswer`. */
  fitting(row: Row): Row
}
