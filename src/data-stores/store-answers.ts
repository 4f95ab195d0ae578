import type { JsonValue } from '../json.ts'
import type { Parts } from '../plugin.ts'
import { type Answer, Answers, type Remembering } from './answers.ts'
import type { DataStore, PreparedQuery, QueryValue, Row } from './data-store.ts'
import { inTime } from './in-time.ts'

/** What bounds the questions of one lookup, and what becomes of its answers. */
export interface AnswerLimits {
  /** Seconds. */
  readonly timeout: number
  readonly cache: Remembering | undefined
  /** What is passed on of an entry. */
  readonly fitting: (row: Row) => Row
}

/**
 * How the questions of a lookup are answered: from memory, by a question that is under way, or by the store, within its time and only
 * while it is not left alone. `meaning` is what makes the lookup another one; with it, answers outlive a reload.
 */
export function storeAnswers(
  store: DataStore,
  query: PreparedQuery,
  meaning: readonly JsonValue[],
  limits: AnswerLimits,
  { kept, outside: { now, log } }: Pick<Parts, 'kept' | 'outside'>,
): (values: readonly QueryValue[]) => Promise<Answer> {
  const { cache, timeout, fitting } = limits
  const memory = cache && [cache.ttl, cache.missing, cache.entries, cache.maxBytes]
  const answers = kept.of(['answers', store.sameness, ...meaning, timeout, memory ?? null], () => new Answers(cache))
  const what = `the data store "${store.id}"`
  const about = { store: store.id, now, log }
  return values =>
    answers.of(JSON.stringify(values), now, async () => {
      const rows = await store.breaker.run(() => inTime(timeout, what, signal => query.run(values, signal)), about)
      return rows.map(fitting)
    })
}
