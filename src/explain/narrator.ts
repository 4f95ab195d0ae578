import type { PresentedCredentials } from '../clients/client.ts'
import { settingOf } from '../config/folders.ts'
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
  TokenContent,
} from '../exchange/grant.ts'
import type { Possession } from '../exchange/possession.ts'
import type { ExchangeRequest } from '../exchange/read-request.ts'
import type { Candidate, MadeLookup, Witness } from '../exchange/witness.ts'
import type { Expression } from '../expressions/expression.ts'
import { claimedClientId } from '../http/client-credentials.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { OAuthError } from '../oauth/errors.ts'
import { type Step, steps } from '../observe/step-times.ts'
import type { Lookup } from '../policies/lookup.ts'
import type { Criterion, ProcessorPolicy } from '../policies/processor-policy.ts'
import { settingOfTarget } from '../policies/target.ts'
import type { Actor } from '../processors/processor.ts'
import type { Disclosure } from './disclosure.ts'
import type { ExplainedStep } from './explanation.ts'
import { explainedLookup } from './lookup-facts.ts'
import { factsOf } from './proof-facts.ts'
import { StepNotes } from './step-notes.ts'

/** The witness that tells how an exchange went. */
export class Narrator implements Witness {
  readonly #disclosure: Disclosure
  readonly #steps: ExplainedStep[] = []
  #notes = new StepNotes()
  #loggable: readonly string[] = []
  #mapped: JsonObject = {}
  #issued: IssuedToken | undefined
  #claimedClient: string | undefined

  constructor(disclosure: Disclosure) {
    this.#disclosure = disclosure
  }

  /** The steps that have ended, and what the one under way has told so far. */
  get steps(): readonly ExplainedStep[] {
    const { current } = this
    if (current === undefined || this.#notes.isEmpty) return this.#steps
    return [...this.#steps, { step: current, result: 'did not come to its end', ...this.#notes.told }]
  }

  /** The step that is under way; undefined after the last. */
  get current(): Step | undefined {
    return steps[this.#steps.length]
  }

  /** What the token would say, as far as that is shown. */
  get content(): TokenContent | undefined {
    const content = this.#issued?.content
    if (content === undefined) return undefined
    return 'xml' in content ? { xml: this.#disclosure.text(content.xml) } : { claims: this.#shown(content.claims) }
  }

  /** The client that the request claims to be, where it says so. */
  get claimedClient(): string | undefined {
    return this.#claimedClient
  }

  credentials(credentials: PresentedCredentials): PresentedCredentials {
    this.#end('read')
    this.#claimedClient = claimedClientId(credentials)
    this.#notes.facts.credentials = credentials.method === 'none' ? credentials.because : credentials.method
    return credentials
  }

  client<Client extends AuthenticatedClient>(client: Client): Client {
    this.#end(client.id)
    return client
  }

  exchanging(client: ExchangingClient): ExchangingClient {
    this.#end('the client is enabled and may exchange tokens')
    return client
  }

  possession(possession: Possession): Possession {
    const { jkt, certificate } = possession
    if (jkt !== undefined) this.#notes.facts.dpop_key = jkt
    if (certificate !== undefined) this.#notes.facts.certificate = certificate.thumbprint
    return possession
  }

  ignored(names: readonly string[]): void {
    if (names.length > 0) this.#notes.facts.ignored = names
  }

  request<Request extends ExchangeRequest>(request: Request): Request {
    const { subjectTokenType, actor, requestedTokenType, resources, audiences, scope } = request
    Object.assign(this.#notes.facts, {
      subject_token_type: subjectTokenType,
      ...(actor !== undefined && { actor_token_type: actor.tokenType }),
      ...(requestedTokenType !== undefined && { requested_token_type: requestedTokenType }),
      ...(resources.length > 0 && { resource: resources }),
      ...(audiences.length > 0 && { audience: audiences }),
      ...(scope !== undefined && { scope: scope.join(' ') }),
    })
    this.#end('complete')
    return request
  }

  policy(policy: ProcessorPolicy): ProcessorPolicy {
    this.#loggable = policy.contract.loggable
    this.#end(settingOf('processor-policies', policy.id))
    return policy
  }

  connection(selected: SelectedConnection): SelectedConnection {
    const { connection, virtualServerId } = selected
    this.#loggable = connection.contract.loggable
    this.#notes.facts.virtual_server = virtualServerId
    this.#end(settingOf('idp-connections', connection.id))
    return selected
  }

  notNeeded(): void {
    this.#end('nothing is issued')
  }

  mapping(mapping: SelectedMapping): SelectedMapping {
    this.#end(mapping.name)
    return mapping
  }

  target(target: SelectedTarget): SelectedTarget {
    const { mapping, issuedTokenType } = target
    const chosen = target.target.kind === 'idp-connection' ? `${mapping.name} (${mapping.maker.id})` : settingOfTarget(target.target)
    this.#notes.candidates = this.#notes.candidates.map(candidate =>
      candidate.fits && candidate.name !== chosen
        ? { ...candidate, fits: false, because: 'could be had too; the other one comes first' }
        : candidate,
    )
    Object.assign(this.#notes.facts, { mapping: mapping.name, maker: mapping.maker.id, issued_token_type: issuedTokenType })
    this.#end(chosen)
    return target
  }

  proven(token: ProvenToken): ProvenToken {
    this.#notes.facts[token.role] = { processor: token.processor.id, ...factsOf(token.proof, this.#disclosure) }
    return token
  }

  tokens(tokens: ProvenTokens): ProvenTokens {
    this.#end(tokens.actor === undefined ? 'the subject token is genuine' : 'both tokens are genuine')
    return tokens
  }

  bound(binding: DecidedBinding): DecidedBinding {
    if (binding.confirmation !== undefined) this.#notes.facts.cnf = binding.confirmation
    return binding
  }

  delegation(delegation: CheckedDelegation): CheckedDelegation {
    if (delegation.act !== undefined) this.#notes.facts.act = this.#disclosure.actor(delegation.act)
    this.#end(delegation.act === undefined ? 'nobody acts for the subject' : `${delegation.act.sub} acts for the subject`)
    return delegation
  }

  fulfilled(_policy: Pick<ProcessorPolicy, 'contract'>, attributes: FulfilledContract): FulfilledContract {
    this.#end('the contract of the policy is fulfilled')
    return attributes
  }

  cleared(attributes: ClearedAttributes): ClearedAttributes {
    const overlooked = this.#notes.criteria.some(({ holds }) => !holds)
    this.#end(this.#notes.criteria.length === 0 ? 'there are none' : overlooked ? 'all that are enforced hold' : 'all hold')
    return attributes
  }

  scope(scope: GrantedScope): GrantedScope {
    this.#end(scope.length === 0 ? 'none' : scope.join(' '))
    return scope
  }

  mapped(attributes: MappedAttributes): MappedAttributes {
    this.#mapped = attributes
    this.#end("the target's contract is fulfilled")
    return attributes
  }

  used(): void {
    this.#end('an explanation records nothing')
  }

  issued(token: IssuedToken): IssuedToken {
    this.#issued = token
    this.#end('an explanation issues nothing')
    return token
  }

  considered(_what: 'mapping' | 'target', candidates: () => readonly Candidate[]): void {
    this.#notes.candidates = candidates().map(({ name, because, setting }) => ({
      ...{ name, fits: because === undefined },
      ...(because !== undefined && { because }),
      ...(setting !== undefined && { setting }),
    }))
  }

  lookedUp(lookup: Lookup, made: MadeLookup): void {
    this.#notes.lookups.push(explainedLookup(lookup, made, this.#disclosure))
  }

  evaluated(attribute: string, expression: Expression, value: JsonValue): void {
    // Only what the policy's own contract marks is loggable; a target's attribute of that name may hold something else.
    const isLoggable = this.current === 'fulfil-contract' && this.#loggable.includes(attribute)
    const shown = this.#disclosure.value(value, isLoggable)
    this.#notes.expressions.push({ attribute, expression: expression.source, value: shown, setting: expression.place })
  }

  decided({ require, otherwise, enforced }: Criterion, refusal: OAuthError | undefined): void {
    const mode = enforced ? 'enforce' : 'audit'
    this.#notes.criteria.push({ require: require.source, holds: refusal === undefined, otherwise, mode, setting: require.place })
  }

  overlooked({ message, setting = '' }: OAuthError): void {
    const earlier = (this.#notes.facts.overlooked ?? []) as readonly JsonValue[]
    this.#notes.facts.overlooked = [...earlier, { description: message, setting }]
  }

  #end(result: string): void {
    const step = this.current
    if (step !== undefined) this.#steps.push({ step, result, ...this.#notes.told })
    this.#notes = new StepNotes()
  }

  // What was mapped is somebody's attributes; the rest is what the exchange decided, which the record shows as well.
  #shown({ act, ...claims }: JsonObject): JsonObject {
    const decided = Object.keys(claims).filter(name => !Object.hasOwn(this.#mapped, name))
    return { ...this.#disclosure.attributes(claims, decided), ...(act !== undefined && { act: this.#disclosure.actor(act as Actor) }) }
  }
}
