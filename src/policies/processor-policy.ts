import type { Expression } from '../expressions/expression.ts'
import type { JsonObject } from '../json.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import type { Lookup } from './lookup.ts'
import type { TokenMaker } from './target.ts'

/** The attributes that a policy or a target promises, each with its JSON Schema. */
export interface Contract {
  /** The JSON Schema of each attribute, by name. */
  readonly attributes: Readonly<Record<string, JsonObject>>
  /** Attributes that the audit record may show (`"log": true`). */
  readonly loggable: readonly string[]
  /** What is wrong with the values; undefined when they keep the contract. */
  problem(attributes: JsonObject): ContractProblem | undefined
}

/** Why values do not keep a contract: the first attribute that is at fault, and what is wrong with it in words for the client. */
export interface ContractProblem {
  readonly attribute: string
  readonly message: string
}

/** How each attribute of a contract is computed. */
export interface Fulfilment {
  readonly contract: Contract
  /** Where its expressions stand: `policies/processor-policies/partner.json processors[0].attributes`. */
  readonly setting: string
  readonly expressions: ReadonlyArray<readonly [name: string, expression: Expression]>
}

/** A condition that must hold before anything is issued. */
export interface Criterion {
  readonly require: Expression
  /** Goes to the client and to the audit record when the condition does not hold. */
  readonly otherwise: string
  /** False: that it does not hold is recorded, and refuses nothing (`"mode": "audit"`). */
  readonly enforced: boolean
}

/** Which processors prove one pair of token types, and what is learned from them. */
export interface ProcessorMapping {
  /** Its place in the file: `processors[0]`. */
  readonly name: string
  readonly subjectTokenType: string
  readonly subjectProcessor: TokenProcessor
  /** Whose subject tokens alone are taken, where that is narrower than the processor. */
  readonly subjectIssuer?: string
  readonly actor: { readonly tokenType: string; readonly processor: TokenProcessor } | undefined
  /** Whether the new token may be bound to another key than the subject token. */
  readonly rebind: boolean
  /** Made before its expressions are evaluated, in order. */
  readonly lookups: readonly Lookup[]
  readonly fulfilment: Fulfilment
  readonly criteria: readonly Criterion[]
  readonly scope: ScopeRule
}

/** What a policy issues to one access token manager or token generator. */
export interface TargetMapping {
  /** Its place in the file: `issues[0]`. */
  readonly name: string
  readonly maker: TokenMaker
  /** Whether the new token names who acts for its subject. */
  readonly expressesActor: boolean
  /** Whether the new token is a bearer token whatever the request proves. */
  readonly unbound: boolean
  /** Made before its expressions are evaluated, in order. */
  readonly lookups: readonly Lookup[]
  readonly fulfilment: Fulfilment
  readonly criteria: readonly Criterion[]
}

/** What bounds the scope from the subject's side. */
export type ScopeRule =
  | { readonly from: 'subject' }
  | { readonly from: 'client' }
  | { readonly from: 'expression'; readonly expression: Expression }

/** Which tokens are taken, what is learned from them, what may be issued. One file in `policies/processor-policies`. */
export interface ProcessorPolicy {
  readonly id: string
  readonly actorToken: 'required' | 'optional' | 'refused'
  readonly contract: Contract
  readonly mappings: readonly ProcessorMapping[]
  /** Hold for every mapping. */
  readonly criteria: readonly Criterion[]
  readonly issues: ReadonlyMap<TokenMaker, TargetMapping>
}
