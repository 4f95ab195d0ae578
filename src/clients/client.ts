import type { JsonObject } from '../json.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'

/** What a client presented to say who it is. Exactly one method; `http/client-credentials.ts` refuses more. */
export type PresentedCredentials =
  | { readonly method: 'client_secret_basic'; readonly candidates: readonly SecretCandidate[] }
  | { readonly method: 'client_secret_post'; readonly candidates: readonly SecretCandidate[] }
  | { readonly method: 'private_key_jwt'; readonly clientId: string | undefined; readonly assertion: string }
  | { readonly method: 'none' }

/** One reading of the presented pair. Basic has two: form-decoded (RFC 6749 §2.3.1) and, as many clients send it, raw. They count as one attempt. */
export interface SecretCandidate {
  readonly clientId: string
  readonly secret: string
}

/** How one client proves who it is. One implementation per method. */
export interface ClientAuthentication {
  readonly method: PresentedCredentials['method']
}

/** Which targets a client may have, and which it gets when it names none. */
export interface ClientTokenExchange {
  readonly enabled: boolean
  /** The client's own policy; undefined: the server's default. */
  readonly policy: ProcessorPolicy | undefined
  /** Ids of the managers that it may use; undefined: all that the policy issues to. */
  readonly accessTokenManagers: ReadonlySet<string> | undefined
  readonly defaultAccessTokenManager: string | undefined
}

/** An OAuth client. One file in `clients/`. */
export interface Client {
  readonly id: string
  readonly enabled: boolean
  readonly authentication: ClientAuthentication
  readonly tokenExchange: ClientTokenExchange
  readonly introspection: { readonly enabled: boolean }
  /** Names by which it is addressed as a resource server. */
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  /** What expressions read as `context.client`. */
  readonly properties: JsonObject
}
