import { hash } from 'node:crypto'
import type { PresentedCredentials } from '../clients/client.ts'
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
} from '../exchange/grant.ts'
import type { KeyConfirmation, Possession } from '../exchange/possession.ts'
import type { ExchangeRequest } from '../exchange/read-request.ts'
import type { MadeLookup, Witness } from '../exchange/witness.ts'
import { claimedClientId } from '../http/client-credentials.ts'
import type { JsonObject } from '../json.ts'
import type { OAuthError } from '../oauth/errors.ts'
import type { Lookup } from '../policies/lookup.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { Actor } from '../processors/processor.ts'
import { StepTimes } from './step-times.ts'
import { type TimedLookup, timedLookup } from './traces/timed-lookup.ts'
import type { TraceContext } from './traces/trace-context.ts'

/**
 * What the record of one exchange says, and how long its steps took. It holds no token, no secret and no attribute that its contract
 * does not mark with `"log": true`; subject and actors are always named.
 */
export class AuditEntry implements Witness {
  readonly times = new StepTimes()
  readonly trace: TraceContext | undefined
  /** Those that were made; of an exchange that is traced only. */
  readonly lookups: TimedLookup[] = []
  readonly #facts: Facts = {}
  #claimedClient: string | undefined

  constructor(trace?: TraceContext) {
    this.trace = trace
    if (trace !== undefined) this.#facts.trace = trace.traceId
  }

  /** The record so far. */
  get facts(): Readonly<Facts> {
    if (this.#facts.client === undefined && this.#claimedClient !== undefined) this.#facts.claimedClient = this.#claimedClient
    return this.#facts
  }

  credentials(credentials: PresentedCredentials): PresentedCredentials {
    this.times.ended()
    this.#claimedClient = claimedClientId(credentials)?.slice(0, 128)
    return credentials
  }

  client<Client extends AuthenticatedClient>(client: Client): Client {
    this.times.ended()
    this.#facts.client = client.id
    return client
  }

  exchanging(client: ExchangingClient): ExchangingClient {
    this.times.ended()
    return client
  }

  possession(possession: Possession): Possession {
    const { jkt, certificate } = possession
    const proved = { ...(jkt !== undefined && { jkt }), ...(certificate !== undefined && { 'x5t#S256': certificate.thumbprint }) }
    if (Object.keys(proved).length > 0) this.#facts.provedKeys = proved
    return possession
  }

  ignored(names: readonly string[]): void {
    // What does not look like a name may be a token whose name was lost.
    if (names.length > 0) this.#facts.ignoredParameters = names.map(name => (/^[A-Za-z][A-Za-z_]{0,31}$/.test(name) ? name : '?'))
  }

  request<Request extends ExchangeRequest>(request: Request): Request {
    this.times.ended()
    this.#facts.subjectToken = request.guessable === true ? {} : { sha256: sha256(request.subjectToken) }
    if (request.actor !== undefined) this.#facts.actorToken = { sha256: sha256(request.actor.token) }
    return request
  }

  policy(policy: ProcessorPolicy): ProcessorPolicy {
    this.times.ended()
    this.#facts.policy = policy.id
    return policy
  }

  connection(selected: SelectedConnection): SelectedConnection {
    this.times.ended()
    this.#facts.connection = selected.connection.id
    this.#facts.virtualServer = selected.virtualServerId
    return selected
  }

  notNeeded(): void {
    this.times.ended()
  }

  mapping(mapping: SelectedMapping): SelectedMapping {
    this.times.ended()
    this.#facts.mapping = mapping.name
    // Known types only: a client that mixes up token and type would have its token written down.
    this.#facts.subjectToken = { type: mapping.subjectTokenType, ...(this.#facts.subjectToken as object) }
    if (mapping.actor !== undefined) this.#facts.actorToken = { type: mapping.actor.tokenType, ...(this.#facts.actorToken as object) }
    this.#facts.processors = { subject: mapping.subjectProcessor.id, ...(mapping.actor && { actor: mapping.actor.processor.id }) }
    return mapping
  }

  target(target: SelectedTarget): SelectedTarget {
    this.times.ended()
    const { kind, id } = target.target
    const { name, maker } = target.mapping
    if (kind === 'idp-connection') Object.assign(this.#facts, { mapping: name, target: maker.id })
    else this.#facts.target = id
    if (kind !== 'access-token-manager') this.#facts.generator = maker.id
    this.#facts.issuedTokenType = target.issuedTokenType
    return target
  }

  proven(token: ProvenToken): ProvenToken {
    this.#facts[token.role] = nameOf(token)
    return token
  }

  tokens(tokens: ProvenTokens): ProvenTokens {
    this.times.ended()
    return tokens
  }

  bound(binding: DecidedBinding): DecidedBinding {
    if (binding.confirmation !== undefined) this.#facts.cnf = binding.confirmation
    return binding
  }

  delegation(delegation: CheckedDelegation): CheckedDelegation {
    this.times.ended()
    if (delegation.act !== undefined) this.#facts.act = namesOf(delegation.act)
    return delegation
  }

  fulfilled(policy: Pick<ProcessorPolicy, 'contract'>, attributes: FulfilledContract): FulfilledContract {
    this.times.ended()
    const { loggable } = policy.contract
    if (loggable.length > 0) this.#facts.attributes = pick(attributes, loggable)
    return attributes
  }

  cleared(attributes: ClearedAttributes): ClearedAttributes {
    this.times.ended()
    return attributes
  }

  scope(scope: GrantedScope): GrantedScope {
    this.times.ended()
    this.#facts.scope = scope
    return scope
  }

  mapped(attributes: MappedAttributes): MappedAttributes {
    this.times.ended()
    return attributes
  }

  used(): void {
    this.times.ended()
  }

  issued(token: IssuedToken): IssuedToken {
    this.times.ended()
    this.#facts.issuedToken = { id: token.id, sha256: sha256(token.token), expiresAt: token.expiresAt }
    return token
  }

  overlooked({ reason, message, setting }: OAuthError): void {
    this.#facts.wouldRefuse = [...(this.#facts.wouldRefuse ?? []), { reason, description: message, setting }]
  }

  lookedUp(lookup: Lookup, made: MadeLookup): void {
    const { outcome, cached, milliseconds } = made
    const ms = Math.round(milliseconds * 1000) / 1000
    const recorded = { name: lookup.name, store: lookup.store.id, outcome, ...(cached && { cached: true as const }), ms }
    this.#facts.lookups = [...(this.#facts.lookups ?? []), recorded]
    if (this.trace !== undefined) this.lookups.push(timedLookup(lookup, made, this.times.ends.length))
  }

  considered(): void {}

  evaluated(): void {}

  decided(): void {}
}

/** The members of a record, each from the stage that knows it. */
export interface Facts {
  /** The trace that it belongs to. */
  trace?: string
  claimedClient?: string
  client?: string
  /** The thumbprints of the keys that the request was proved to hold. */
  provedKeys?: KeyConfirmation
  ignoredParameters?: readonly string[]
  subjectToken?: object
  actorToken?: object
  policy?: string
  connection?: string
  virtualServer?: string
  mapping?: string
  processors?: object
  target?: string
  generator?: string
  issuedTokenType?: string
  subject?: object
  actor?: object
  act?: Actor
  /** The key that the new token is bound to. */
  cnf?: KeyConfirmation
  attributes?: JsonObject
  /** Never what they found, or what was asked. */
  lookups?: readonly RecordedLookup[]
  scope?: readonly string[]
  issuedToken?: object
  /** What is not enforced yet, and would have refused this exchange. */
  wouldRefuse?: ReadonlyArray<{ readonly reason: string; readonly description: string; readonly setting: string | undefined }>
}

/** A lookup, as the record has it. */
export interface RecordedLookup {
  readonly name: string
  readonly store: string
  readonly outcome: MadeLookup['outcome']
  readonly cached?: true
  readonly ms: number
}

/** How the record names a token: by a digest under which it can be found again, and which cannot be used in its place. */
function sha256(token: string): string {
  return hash('sha256', token, 'base64url')
}

function nameOf({ proof }: ProvenToken): { iss: string; sub: string } {
  return { iss: proof.issuer, sub: proof.subject }
}

/** Only who acts: what else an issuer says of an actor is nobody's business. */
export function namesOf({ iss, sub, act }: Actor): Actor {
  return { iss, sub, ...(act !== undefined && { act: namesOf(act) }) }
}

function pick(attributes: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter(name => name in attributes).map(name => [name, attributes[name]]))
}
