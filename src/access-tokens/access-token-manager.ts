import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'
import type { AllowedClients, TokenMaker } from '../policies/target.ts'

/** An access token of this server that is genuine, unexpired and not revoked. */
export interface AccessToken {
  /** `jti` */
  readonly id: string
  readonly manager: string
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  readonly audiences: readonly string[]
  readonly scope: readonly string[]
  readonly issuedAt: Instant
  readonly expiresAt: Instant
  /** Ids of the tokens of this server that it was exchanged from, nearest first. */
  readonly ancestors: readonly string[]
  /** All claims, as introspection shows them (without private bookkeeping). */
  readonly claims: JsonObject
}

/** Makes and reads the access tokens of one kind. One instance is one file in `policies/access-token-managers`. */
export interface AccessTokenManager extends TokenMaker {
  readonly type: string
  /** Who may be issued its tokens; undefined: every client. */
  readonly clients: AllowedClients | undefined
  /** Which scopes its tokens may carry; undefined: all. */
  readonly scopes: ReadonlySet<string> | undefined
  /** Absolute URIs that it serves; one that ends in `/` serves everything below it. */
  readonly resources: readonly string[]
  /** Logical names that it serves. */
  readonly audiences: readonly string[]
  /** The `aud` of a token, given the resources that were asked for. */
  audienceFor(resources: readonly string[]): readonly string[]
  /** Undefined when the token is not one of its own, has expired or was revoked. Throws an `Outage` when that could not be found out. */
  read(token: string, now: Instant): Promise<AccessToken | undefined>
  /** What `read` would give for a token of its own with these claims that was not revoked: for policy tests. */
  assume(claims: JsonObject, now: Instant): AccessToken | undefined
}
