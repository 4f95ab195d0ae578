import type { Branded } from '../branded.ts'
import type { Client } from '../clients/client.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'
import type { IdpConnection } from '../policies/idp-connection.ts'
import type { ProcessorMapping, TargetMapping } from '../policies/processor-policy.ts'
import type { Target, TokenBinding } from '../policies/target.ts'
import type { Actor, Authentication, Proof, ProxyRestriction, TokenProcessor } from '../processors/processor.ts'

/** A client whose credentials were checked (`authenticate-client.ts`). */
export type AuthenticatedClient = Branded<Client, 'authenticated'>

/** An authenticated client that is enabled and may exchange tokens (`check-grant.ts`, `sts/check-caller.ts`). */
export type ExchangingClient = Branded<AuthenticatedClient, 'exchanging'>

/** The IdP connection of a WS-Trust request, and the name by which this server was addressed (`sts/select-connection.ts`). */
export type SelectedConnection = Branded<{ readonly connection: IdpConnection; readonly virtualServerId: string }, 'selected'>

/** The processors of the request's pair of token types (`select-mapping.ts`). */
export type SelectedMapping = Branded<ProcessorMapping, 'selected'>

/** What was proven of one token, and by which processor. */
export interface ProvenToken {
  readonly role: 'subject' | 'actor'
  readonly processor: TokenProcessor
  readonly proof: Proof
}

/** The tokens of the request as their processors proved them (`process-tokens.ts`). */
export type ProvenTokens = Branded<{ readonly subject: ProvenToken; readonly actor: ProvenToken | undefined }, 'proven'>

/** Proven tokens that are meant for this server and this client, valid now, and bound to no key that was not proved (`check-audience.ts`, `check-validity.ts`, `check-binding.ts`). */
export type AddressedTokens = Branded<ProvenTokens, 'addressed'>
export type ValidTokens = Branded<AddressedTokens, 'valid'>
export type UsableTokens = Branded<ValidTokens, 'usable'>

/** Usable tokens from which the target's token may be made (`check-proxy-restriction.ts`). */
export type UnrestrictedTokens = Branded<UsableTokens, 'unrestricted'>

/** What the lookups of the processor mapping have found, by their names (`look-up.ts`). */
export type FoundForSubject = Branded<JsonObject, 'found-for-subject'>

/** What the lookups of the target's mapping have found (`look-up.ts`). */
export type FoundForTarget = Branded<JsonObject, 'found-for-target'>

/** The policy's attributes, fulfilled (`fulfil-contract.ts`). */
export type FulfilledContract = Branded<JsonObject, 'fulfilled'>

/** The policy's attributes after every criterion of the mapping and the policy held (`check-criteria.ts`). Only these can be mapped. */
export type ClearedAttributes = Branded<FulfilledContract, 'cleared'>

/** Where the new token goes and in which form, after the client's and the target's restrictions (`select-target.ts`). */
export type SelectedTarget = Branded<
  {
    readonly target: Target
    readonly mapping: TargetMapping
    readonly issuedTokenType: string
    /** The resources that were asked for. */
    readonly resources: readonly string[]
  },
  'selected'
>

/** Who acts for the subject in the new token, `undefined` where nobody does (`delegate.ts`). */
export type CheckedDelegation = Branded<{ readonly act: Actor | undefined }, 'checked'>

/** The key that the new token is bound to, `confirmation` being undefined where it is a bearer token (`bind-token.ts`). */
export type DecidedBinding = Branded<TokenBinding, 'decided'>

/** The scope of the new token (`grant-scope.ts`). */
export type GrantedScope = Branded<readonly string[], 'granted'>

/** When the new token ends at the latest (`bound-lifetime.ts`). */
export type BoundedExpiry = Branded<Instant, 'bounded'>

/** The attributes of the new token, mapped, validated and past every criterion (`map-attributes.ts`). */
export type MappedAttributes = Branded<JsonObject, 'mapped'>

/** Ids of this server's tokens that the new one descends from (`trace-ancestors.ts`). */
export type TracedAncestors = Branded<readonly string[], 'traced'>

/** What has been decided. Each member can be made by one stage only. */
export interface Grant {
  readonly client: ExchangingClient
  readonly target: SelectedTarget
  readonly attributes: MappedAttributes
  readonly delegation: CheckedDelegation
  readonly binding: DecidedBinding
  readonly scope: GrantedScope
  readonly expiresBy: BoundedExpiry
  readonly ancestors: TracedAncestors
  /** How the subject authenticated, as the inbound token tells. */
  readonly authentication: Authentication | undefined
  /** What the inbound token allows of further ones. */
  readonly proxyRestriction: ProxyRestriction | undefined
  readonly now: Instant
}

/** A token that was made. */
export interface IssuedToken {
  readonly token: string
  /** Id under which the audit record and a revocation know it. */
  readonly id: string
  readonly tokenType: 'Bearer' | 'DPoP' | 'N_A'
  readonly expiresAt: Instant
  readonly content: TokenContent
}

/** What a token says, before it is signed or encrypted: for explanations and policy tests, never for the record. */
export type TokenContent = { readonly claims: JsonObject } | { readonly xml: string }
