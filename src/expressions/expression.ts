import type { JsonObject, JsonValue } from '../json.ts'
import type { Actor } from '../processors/processor.ts'

/** What expressions may read (configuration.md, "Expressions"). Which of them an expression may name depends on where it stands. */
export interface Variables {
  readonly subject?: JsonObject
  /** The incoming token of an IdP connection. */
  readonly assertion?: JsonObject
  readonly actor?: JsonObject | null
  /** What the lookups of the mapping have found, by their names. */
  readonly lookup?: JsonObject
  readonly policy?: JsonObject
  readonly act?: Actor | null
  readonly context?: ExpressionContext
}

/** What every expression may read of the request. */
export interface ExpressionContext {
  readonly clientId: string
  readonly client: JsonObject
  readonly clientIp: string
  /** Requested. */
  readonly scopes: readonly string[]
  /** Only in mappings to a target. */
  readonly grantedScopes?: readonly string[]
  readonly resources: readonly string[]
  readonly audiences: readonly string[]
  readonly requestedTokenType: string
  /** Only in IdP connections. */
  readonly virtualServerId?: string
  readonly now: Date
}

/** A CEL expression, compiled and type-checked when the configuration was loaded. */
export interface Expression {
  readonly source: string
  /** Where it stands, as an administrator finds it: `policies/processor-policies/partner.json processors[0].attributes.email`. */
  readonly place: string
  /** The variables that it reads, such as `subject` and `act`. */
  readonly reads: ReadonlySet<string>
  /** Throws `OAuthError('expression-failed')`, naming the expression, when it cannot be evaluated. */
  evaluate(variables: Variables): JsonValue
}
