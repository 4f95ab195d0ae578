import type { TokenGenerator } from '../generators/token-generator.ts'
import type { TokenForm } from '../processors/processor.ts'
import type { Contract, ProcessorMapping, TargetMapping } from './processor-policy.ts'
import type { Target } from './target.ts'

/** What a connection issues by one token generator: for whom, and what stands in it. */
export interface GeneratorMapping extends TargetMapping {
  readonly maker: TokenGenerator
  /** The addresses of services that it is for; empty: chosen by its token type, or as the default. */
  readonly appliesTo: readonly string[]
  /** The virtual servers that may use it. */
  readonly virtualServerIds: readonly string[]
  readonly isDefault: boolean
}

/** A partner whose tokens are validated, or become tokens of ours, by WS-Trust. One file in `policies/idp-connections`. */
export interface IdpConnection {
  readonly id: string
  /** Whose tokens it takes, and nobody else's. */
  readonly entityId: string
  /** The names by which this server is addressed; the first one where a request names none. */
  readonly virtualServerIds: readonly [string, ...string[]]
  readonly processing: 'validate' | 'validate-and-issue'
  /** How its tokens stand in a message. */
  readonly form: TokenForm
  readonly contract: Contract
  /** How the incoming token is proved and what is learned from it: without a token of the one who acts, and with one. */
  readonly mapping: ProcessorMapping
  readonly actorMapping: ProcessorMapping | undefined
  readonly generators: readonly GeneratorMapping[]
  /** All of them, as the pipeline sees them. */
  readonly target: Target
}
