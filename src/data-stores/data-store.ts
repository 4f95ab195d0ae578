import type { z } from 'zod'
import type { Path } from '../config/problems.ts'
import type { TemplateSource } from '../config/values.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { Breaker } from './breaker.ts'

/** What stands in a query in the place of `{expression}`. */
export type QueryValue = string | number | boolean

/** What was found, by the names of the attributes. What is absent is left out, or null. */
export type Row = Readonly<Record<string, JsonValue | undefined>>

/** Where a value goes within a template. */
export interface Slot {
  /** The index of its value among the values of the lookup. */
  readonly value: number
  /** The expression, as it was written. */
  readonly source: string
  /** Where its brace stands in the template's text, for messages. */
  readonly offset: number
}

/**
 * A text of a query, such as `(mail={subject.email})`: what is written literally, and the places of values between. Only the store
 * knows the language that the text is in, so that it alone puts values there, each encoded or bound as that language demands.
 */
export interface Template {
  readonly source: string
  /** In order; literal pieces have their `{{` and `}}` as single braces, and the offset at which they begin. */
  readonly pieces: ReadonlyArray<{ readonly text: string; readonly offset: number } | Slot>
}

/** Whether a piece of a template is a value's place. */
export function isSlot(piece: Template['pieces'][number]): piece is Slot {
  return 'value' in piece
}

/** What a store is given to prepare one lookup. Paths are relative to the lookup: `['filter']`. */
export interface LookupParts {
  /** The attributes that are asked for; the store declares all of them. */
  readonly attributes: readonly string[]
  /** More rows than this need not be fetched: nobody looks at them. */
  readonly atMost: number
  /** Seconds after which nobody waits any more: for limits that are sent to the server as well. */
  readonly timeout: number
  /**
   * Compiles the expressions in a text of the lookup. Each gives a string, a number or a boolean, or what `expected` (a JSON Schema)
   * says. A mistake in an expression is reported; the template is good for checking the language around it all the same.
   */
  template(source: TemplateSource, path: Path, expected?: JsonObject): Template
  /** Reports a problem and goes on; `offset` points into a string. */
  problem(path: Path, message: string, offset?: number): void
  /** Reports a setting that is legal and dangerous. `code` names its page in `docs/warnings.md`. */
  warn(code: string, path: Path, message: string): void
}

/** A lookup that its store has checked and understood. */
export interface PreparedQuery {
  /** The query with these values in it as a person reads it, without the store's secrets: for explanations, never for the log. */
  describe(values: readonly QueryValue[]): string
  /**
   * Asks. Resolves to what was found, in the order of the store; to nothing where there is no such thing. Throws an `Outage` when the store
   * could not be asked or does not answer as it should; its message never has a value in it. After `signal` nobody waits any more, and
   * whatever is under way is to be ended.
   */
  run(values: readonly QueryValue[], signal: AbortSignal): Promise<readonly Row[]>
}

/** What a kind of data store brings: the attributes, and how a lookup is understood. */
export interface StoreClient<Lookup> {
  /** What it has, by name, each with its JSON Schema. Those whose type allows null may be absent; all others are always there. */
  readonly attributes: Readonly<Record<string, JsonObject>>
  /** `lookup` has the members that are the kind's own. What it reports stops the start, so that it may return anything then. */
  prepare(lookup: Lookup, parts: LookupParts): PreparedQuery
}

/** One file in `policies/data-stores`: where further attributes are looked up. */
export interface DataStore {
  readonly id: string
  readonly type: string
  readonly attributes: Readonly<Record<string, JsonObject>>
  /** Another text as soon as a setting, or a secret or file that one names, is another: for the names of what is kept over reloads. */
  readonly sameness: string
  /** Checks the members of a lookup that are this kind's own. */
  readonly lookup: z.ZodType
  readonly client: StoreClient<unknown>
  /** Whether it is asked at all just now. */
  readonly breaker: Breaker
}
