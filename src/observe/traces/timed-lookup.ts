import type { LookupOutcome, MadeLookup } from '../../exchange/witness.ts'
import type { Lookup } from '../../policies/lookup.ts'

/** A lookup of an exchange that is traced: what of it a span tells, and nothing of what was asked and found. */
export interface TimedLookup {
  readonly name: string
  readonly store: Lookup['store']
  readonly outcome: LookupOutcome
  /** Where the answer came from; undefined where there was none, or nothing was asked. */
  readonly answer: 'remembered' | 'joined' | 'asked' | undefined
  /** How many steps of the exchange had ended before. */
  readonly within: number
  /** In milliseconds of `performance.now()`. */
  readonly from: number
  readonly to: number
}

/** A lookup that has just been made. */
export function timedLookup({ name, store }: Lookup, made: MadeLookup, within: number): TimedLookup {
  const to = performance.now()
  return { name, store, outcome: made.outcome, answer: answerOf(made), within, from: to - made.milliseconds, to }
}

function answerOf({ outcome, cached, joined, values }: MadeLookup): TimedLookup['answer'] {
  if (outcome === 'down' || outcome === 'unfit' || values.includes(undefined)) return undefined
  return cached ? 'remembered' : joined ? 'joined' : 'asked'
}
