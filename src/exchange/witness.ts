import type { PresentedCredentials } from '../clients/client.ts'
import type { QueryValue, Row } from '../data-stores/data-store.ts'
import type { Expression } from '../expressions/expression.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { OAuthError } from '../oauth/errors.ts'
import type { Lookup } from '../policies/lookup.ts'
import type { Criterion, ProcessorPolicy } from '../policies/processor-policy.ts'
import type {
  AuthenticatedClient,
  CheckedDelegation,
  ClearedAttributes,
  DecidedBinding,
  ExchangingClient,
  FulfilledContract,
  GrantedScope,
  IssuedToken,
  MappedAttributes,
  ProvenToken,
  ProvenTokens,
  SelectedConnection,
  SelectedMapping,
  SelectedTarget,
} from './grant.ts'
import type { Possession } from './possession.ts'
import type { ExchangeRequest } from './read-request.ts'

/**
 * Hears of the result of every stage of one exchange, in the order in which they come: the audit record is one, an explanation is
 * another. The stages' results pass through unchanged, and nothing in the exchange reads a witness.
 */
export interface Witness {
  /** Who the request says it is; nothing has been checked yet. */
  credentials(credentials: PresentedCredentials): PresentedCredentials
  client<Client extends AuthenticatedClient>(client: Client): Client
  exchanging(client: ExchangingClient): ExchangingClient
  /** The keys that the request is proved to hold; ends no step of its own. */
  possession(possession: Possession): Possession
  /** Names of parameters that have no meaning here. */
  ignored(names: readonly string[]): void
  request<Request extends ExchangeRequest>(request: Request): Request
  policy(policy: ProcessorPolicy): ProcessorPolicy
  /** In the place of a policy, where WS-Trust is spoken. */
  connection(connection: SelectedConnection): SelectedConnection
  mapping(mapping: SelectedMapping): SelectedMapping
  target(target: SelectedTarget): SelectedTarget
  /** One token is proven; the other may yet be refused. */
  proven(token: ProvenToken): ProvenToken
  tokens(tokens: ProvenTokens): ProvenTokens
  /** To which key the new token is bound; ends no step of its own. */
  bound(binding: DecidedBinding): DecidedBinding
  delegation(delegation: CheckedDelegation): CheckedDelegation
  fulfilled(policy: Pick<ProcessorPolicy, 'contract'>, attributes: FulfilledContract): FulfilledContract
  cleared(attributes: ClearedAttributes): ClearedAttributes
  scope(scope: GrantedScope): GrantedScope
  mapped(attributes: MappedAttributes): MappedAttributes
  /** Whatever may be used once only has been recorded as used. */
  used(): void
  issued(token: IssuedToken): IssuedToken
  /** The step that is under way has nothing to do for this request. */
  notNeeded(): void

  /** What a selection could have chosen from, told only to a witness that asks. */
  considered(what: 'mapping' | 'target', candidates: () => readonly Candidate[]): void
  /** A lookup was made, whatever came of it. */
  lookedUp(lookup: Lookup, made: MadeLookup): void
  /** The value of one expression of a fulfilment. */
  evaluated(attribute: string, expression: Expression, value: JsonValue): void
  /** Whether a criterion holds; `refusal` says why it does not. */
  decided(criterion: Criterion, refusal: OAuthError | undefined): void
  /** A refusal that is only recorded, because its setting says `"mode": "audit"`. */
  overlooked(refusal: OAuthError): void
}

/** What came of a lookup. `unfit`: the data store has answered, but not as its file says. */
export type LookupOutcome = 'found' | 'missing' | 'several' | 'down' | 'unfit'

/** A lookup that was made. */
export interface MadeLookup {
  readonly outcome: LookupOutcome
  /** Whether the answer was remembered. */
  readonly cached: boolean
  /** Whether another exchange was asking the same already. */
  readonly joined: boolean
  readonly milliseconds: number
  /** What its query was to be made with; where one is undefined, nothing was asked. */
  readonly values: ReadonlyArray<QueryValue | undefined>
  readonly rows: readonly Row[]
}

/** Something that a selection chose or passed over. */
export interface Candidate {
  readonly name: string
  /** Why it was passed over; undefined when it fits. */
  readonly because: string | undefined
  /** The setting that decided so. */
  readonly setting?: string | undefined
  readonly details?: JsonObject
}
