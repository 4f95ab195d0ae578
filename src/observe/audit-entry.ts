import { hash } from 'node:crypto'
import type { PresentedCredentials } from '../clients/client.ts'
import type {
  AuthenticatedClient,
  CheckedDelegation,
  FulfilledContract,
  GrantedScope,
  IssuedToken,
  ProvenToken,
  ProvenTokens,
  SelectedMapping,
  SelectedTarget,
} from '../exchange/grant.ts'
import type { ExchangeRequest } from '../exchange/read-request.ts'
import { claimedClientId } from '../http/client-credentials.ts'
import type { JsonObject } from '../json.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { Actor } from '../processors/processor.ts'

/**
 * What the record of one exchange says. Each stage's result passes through it unchanged. It holds no token, no secret and no
 * attribute that its contract does not mark with `"log": true`; subject and actors are always named.
 */
export class AuditEntry {
  readonly #facts: Record<string, unknown> = {}

  /** The record so far. */
  get facts(): Readonly<Record<string, unknown>> {
    return this.#facts
  }

  /** Who the request says it is; nothing has been checked yet. */
  credentials(credentials: PresentedCredentials): PresentedCredentials {
    const claimed = claimedClientId(credentials)
    if (claimed !== undefined) this.#facts.claimedClient = claimed.slice(0, 128)
    return credentials
  }

  client<Client extends AuthenticatedClient>(client: Client): Client {
    delete this.#facts.claimedClient
    this.#facts.client = client.id
    return client
  }

  ignored(names: readonly string[]): void {
    // What does not look like a name may be a token whose name was lost.
    if (names.length > 0) this.#facts.ignoredParameters = names.map(name => (/^[a-z][a-z_]{0,31}$/.test(name) ? name : '?'))
  }

  request(request: ExchangeRequest): ExchangeRequest {
    this.#facts.subjectToken = { sha256: sha256(request.subjectToken) }
    if (request.actor !== undefined) this.#facts.actorToken = { sha256: sha256(request.actor.token) }
    return request
  }

  policy(policy: ProcessorPolicy): ProcessorPolicy {
    this.#facts.policy = policy.id
    return policy
  }

  mapping(mapping: SelectedMapping): SelectedMapping {
    this.#facts.mapping = mapping.name
    // Known types only: a client that mixes up token and type would have its token written down.
    this.#facts.subjectToken = { type: mapping.subjectTokenType, ...(this.#facts.subjectToken as object) }
    if (mapping.actor !== undefined) this.#facts.actorToken = { type: mapping.actor.tokenType, ...(this.#facts.actorToken as object) }
    this.#facts.processors = { subject: mapping.subjectProcessor.id, ...(mapping.actor && { actor: mapping.actor.processor.id }) }
    return mapping
  }

  target(target: SelectedTarget): SelectedTarget {
    this.#facts.target = target.target.id
    if (target.target.kind === 'generator-group') this.#facts.generator = target.mapping.maker.id
    this.#facts.issuedTokenType = target.issuedTokenType
    return target
  }

  tokens(tokens: ProvenTokens): ProvenTokens {
    this.#facts.subject = nameOf(tokens.subject)
    if (tokens.actor !== undefined) this.#facts.actor = nameOf(tokens.actor)
    return tokens
  }

  delegation(delegation: CheckedDelegation): CheckedDelegation {
    if (delegation.act !== undefined) this.#facts.act = namesOf(delegation.act)
    return delegation
  }

  attributes(policy: ProcessorPolicy, attributes: FulfilledContract): FulfilledContract {
    const { loggable } = policy.contract
    if (loggable.length > 0) this.#facts.attributes = pick(attributes, loggable)
    return attributes
  }

  scope(scope: GrantedScope): GrantedScope {
    this.#facts.scope = scope
    return scope
  }

  issued(token: IssuedToken): IssuedToken {
    this.#facts.issuedToken = { id: token.id, sha256: sha256(token.token), expiresAt: token.expiresAt }
    return token
  }
}

/** How the record names a token: by a digest under which it can be found again, and which cannot be used in its place. */
function sha256(token: string): string {
  return hash('sha256', token, 'base64url')
}

function nameOf({ proof }: ProvenToken): { iss: string; sub: string } {
  return { iss: proof.issuer, sub: proof.subject }
}

// Only who acts: what else an issuer says of an actor is nobody's business here.
function namesOf({ iss, sub, act }: Actor): Actor {
  return { iss, sub, ...(act !== undefined && { act: namesOf(act) }) }
}

function pick(attributes: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter(name => name in attributes).map(name => [name, attributes[name]]))
}
