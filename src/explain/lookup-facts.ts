import { settingOf } from '../config/folders.ts'
import type { QueryValue } from '../data-stores/data-store.ts'
import type { MadeLookup } from '../exchange/witness.ts'
import type { JsonObject } from '../json.ts'
import type { Lookup } from '../policies/lookup.ts'
import type { Disclosure } from './disclosure.ts'
import type { ExplainedLookup } from './explanation.ts'

/** What was asked of a data store, and what it found. */
export function explainedLookup(lookup: Lookup, made: MadeLookup, disclosure: Disclosure): ExplainedLookup {
  const { outcome, cached, milliseconds, rows } = made
  const query = queryOf(lookup, made, disclosure)
  return {
    name: lookup.name,
    dataStore: settingOf('data-stores', lookup.store.id),
    ...(query !== undefined && { query }),
    outcome,
    ...(cached && { cached }),
    milliseconds: Math.round(milliseconds * 1000) / 1000,
    found: rows.map(row => disclosure.attributes(row as JsonObject)),
    setting: lookup.setting,
  }
}

function queryOf(lookup: Lookup, { values }: MadeLookup, disclosure: Disclosure): string | undefined {
  if (values.includes(undefined)) return undefined
  return lookup.describe(values.map(value => disclosure.value(value as QueryValue, false) as QueryValue))
}
