import type { LookupOutcome } from '../exchange/witness.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { Step } from '../observe/step-times.ts'

/** How one exchange went, step by step, as a person or a program reads it. */
export interface Explanation {
  /** The configuration's version. */
  readonly version: string
  /** `validated`: a WS-Trust message asked only whether its token is valid, and it is. */
  readonly outcome: 'issued' | 'validated' | 'refused' | 'unavailable' | 'failed'
  readonly steps: readonly ExplainedStep[]
  /** What would have been issued. */
  readonly token?: ExplainedToken
  readonly refusal?: ExplainedRefusal
}

/** One step of the pipeline that came to its end, or the one that refused. */
export interface ExplainedStep {
  readonly step: Step
  /** What it came to, in a few words. */
  readonly result: string
  readonly facts?: JsonObject
  readonly candidates?: readonly ExplainedCandidate[]
  readonly lookups?: readonly ExplainedLookup[]
  readonly expressions?: readonly ExplainedExpression[]
  readonly criteria?: readonly ExplainedCriterion[]
}

/** Something that could have been chosen. */
export interface ExplainedCandidate {
  readonly name: string
  readonly fits: boolean
  readonly because?: string
  readonly setting?: string
}

/** A lookup, what was asked, and what was found. */
export interface ExplainedLookup {
  readonly name: string
  /** `data-stores/hr`. */
  readonly dataStore: string
  /** Absent where a value is null, so that nothing was asked. */
  readonly query?: string
  readonly outcome: LookupOutcome
  readonly cached?: true
  readonly milliseconds: number
  readonly found: readonly JsonObject[]
  readonly setting: string
}

/** An expression with the value that it had. */
export interface ExplainedExpression {
  readonly attribute: string
  readonly expression: string
  readonly value: JsonValue
  readonly setting: string
}

/** A criterion, whether it held, and whether that matters. */
export interface ExplainedCriterion {
  readonly require: string
  readonly holds: boolean
  readonly otherwise: string
  readonly mode: 'enforce' | 'audit'
  readonly setting: string
}

/** The token that would be issued: decoded, and without a signature. */
export interface ExplainedToken {
  readonly issuedTokenType: string
  readonly tokenType: string
  readonly expiresIn: number
  readonly scope?: string
  readonly claims?: JsonObject
  readonly xml?: string
}

/** Why nothing would be issued. */
export interface ExplainedRefusal {
  readonly step: Step | 'done'
  readonly status: number
  /** `error` and `error_description` as the client gets them; of a WS-Trust message, what the fault is called. */
  readonly error: string
  readonly description: string
  readonly reason: string
  /** What the client is not told. */
  readonly cause?: string
  /** The setting that decided so; absent where the request itself has to change. */
  readonly setting?: string
}
