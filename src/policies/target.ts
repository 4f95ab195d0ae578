import type { X509Certificate } from 'node:crypto'
import type { AccessTokenManager } from '../access-tokens/access-token-manager.ts'
import { settingOf } from '../config/folders.ts'
import type { Path } from '../config/problems.ts'
import type { Grant, IssuedToken } from '../exchange/grant.ts'
import type { BindingRule, KeyConfirmation } from '../exchange/possession.ts'
import type { TokenGenerator } from '../generators/token-generator.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { ProxyRestriction } from '../processors/processor.ts'
import type { GeneratorGroup } from './generator-group.ts'
import type { Contract } from './processor-policy.ts'

/** The key of whoever may use a token: as its `cnf` says it, and the certificate itself where it is one. */
export interface TokenBinding {
  readonly confirmation: KeyConfirmation | undefined
  readonly certificate: X509Certificate | undefined
}

/** What makes new tokens, as far as the pipeline is concerned: an access token manager or a token generator. */
export interface TokenMaker {
  readonly id: string
  readonly contract: Contract
  /** Seconds a token lives at most. */
  readonly lifetime: number
  /** Whether the subject token's expiry does not cap it. */
  readonly outlivesSubject: boolean
  /** Whether a token may be made from one that restricts this (SAML `ProxyRestriction`), and says so itself. Absent: never. */
  permits?(restriction: ProxyRestriction): boolean
  /** To which keys its tokens must be bound, and where in its file that is said; absent: to none. */
  readonly binding?: { readonly rule: BindingRule; readonly path: Path } | undefined
  /** Whether a token can say that only the holder of this key may use it. Absent: never. */
  binds?(binding: TokenBinding): boolean
  /** Rejects with an `Outage` when nothing could be made now, as far as that is known before. Absent: it needs nobody else. */
  ready?(): Promise<void>
  generate(grant: Grant): Promise<IssuedToken>
}

/** The ids of the clients that may be issued tokens. Where the list is not enforced, what it would refuse is recorded only. */
export interface AllowedClients {
  readonly allow: ReadonlySet<string>
  readonly enforced: boolean
}

/** Where a new token may go: what a resource, an audience or a default selects (RFC 8693 §2.1). */
export interface Target {
  readonly kind: 'access-token-manager' | 'generator-group' | 'idp-connection'
  readonly id: string
  /** Absolute URIs that it serves; one that ends in `/` serves everything below it. */
  readonly resources: readonly string[]
  /** Logical names that it serves. */
  readonly audiences: readonly string[]
  /** Who may be issued its tokens; undefined: every client. */
  readonly clients: AllowedClients | undefined
  /** Which scopes its tokens may carry; undefined: all. */
  readonly scopes: ReadonlySet<string> | undefined
  readonly makers: readonly TokenMaker[]
  readonly tokenTypes: readonly string[]
  /** The token type that it makes where none is requested. */
  readonly defaultType: string
  /** Undefined where it makes no tokens of this type. */
  makerOf(tokenType: string): TokenMaker | undefined
}

/** An access token manager as a target. A JWT access token is a JWT too: callers such as Spring ask for it by that name. */
export function managerTarget(manager: AccessTokenManager): Target {
  const { id, resources, audiences, clients, scopes, type } = manager
  const types: readonly string[] = type === 'jwt' ? [tokenTypes.accessToken, tokenTypes.jwt] : [tokenTypes.accessToken]
  return {
    ...{ kind: 'access-token-manager', id, resources, audiences, clients, scopes },
    makers: [manager],
    tokenTypes: types,
    defaultType: tokenTypes.accessToken,
    makerOf: tokenType => (types.includes(tokenType) ? manager : undefined),
  }
}

/** A generator group as a target. What generators make carries no scope. */
export function groupTarget({ id, resources, audiences, generators, defaultType }: GeneratorGroup): Target {
  return {
    ...{ kind: 'generator-group', id, resources, audiences, clients: undefined, scopes: new Set<string>() },
    makers: [...new Set(generators.values())],
    tokenTypes: [...generators.keys()],
    defaultType,
    makerOf: tokenType => generators.get(tokenType),
  }
}

/** The token generators of an IdP connection as a target. Nothing leads there but the connection itself. */
export function connectionTarget(
  id: string,
  generators: ReadonlyArray<{ readonly maker: TokenGenerator; readonly isDefault: boolean }>,
): Target {
  const makers = generators.map(({ maker }) => maker)
  return {
    ...{ kind: 'idp-connection', id, resources: [], audiences: [], clients: undefined, scopes: new Set<string>(), makers },
    tokenTypes: makers.map(({ tokenType }) => tokenType),
    defaultType: generators.find(({ isDefault }) => isDefault)?.maker.tokenType ?? '',
    makerOf: tokenType => makers.find(maker => maker.tokenType === tokenType),
  }
}

/** How refusals and explanations name a target, or a member of its file. */
export function settingOfTarget({ kind, id }: Target, ...path: Path): string {
  return settingOf(`${kind}s`, id, ...path)
}
