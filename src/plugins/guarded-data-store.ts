import { z } from 'zod'
import type { DataStore, LookupParts, PreparedQuery, QueryValue, Row, StoreClient } from '../data-stores/data-store.ts'
import { Outage } from '../oauth/errors.ts'
import { type Border, called, calledAtOnce } from './border.ts'
import { checkedRows } from './facts.ts'
import { checkedBuilt } from './promised.ts'

const method = z.custom(value => typeof value === 'function', 'expected a function')
const promisedClient = z.looseObject({ attributes: z.record(z.string(), z.record(z.string(), z.json())), prepare: method })
const promisedQuery = z.looseObject({ describe: method, run: method })

/** A data store of a plug-in behind the border: rows are copied, and whatever it throws is an outage or a fault. */
export function guardedDataStore(value: unknown, border: Border): DataStore {
  const store = value as DataStore
  const client = checkedBuilt(promisedClient, store.client) as unknown as StoreClient<unknown>
  const prepare = (lookup: unknown, parts: LookupParts): PreparedQuery => {
    const prepared = calledAtOnce(border, 'prepare', '', () => client.prepare(lookup, parts))
    return guardedQuery(checkedBuilt(promisedQuery, prepared) as unknown as PreparedQuery, border)
  }
  return { ...store, client: { attributes: client.attributes, prepare } }
}

function guardedQuery(query: PreparedQuery, border: Border): PreparedQuery {
  return {
    describe: values => String(calledAtOnce(border, 'describe', '', () => query.describe(values))),
    run: async (values, signal) => checkedRows({ ...border, call: 'run' }, await runQuery(query, values, signal, border)),
  }
}

// A lookup has a timeout of its own, of at most 60 s.
const beyondEveryTimeout = 65_000

// Its message may stand in the log: a value that was looked for must not.
async function runQuery(query: PreparedQuery, values: readonly QueryValue[], signal: AbortSignal, border: Border): Promise<readonly Row[]> {
  try {
    return await called({ ...border, milliseconds: beyondEveryTimeout }, 'run', '', () => query.run(values, signal))
  } catch (error) {
    const telling = values.map(String).filter(value => value.length > 3)
    if (error instanceof Outage && telling.some(value => error.message.includes(value)))
      throw new Outage(`${border.plugin} cannot be asked`, error.cause, error.retryAfter)
    throw error
  }
}
