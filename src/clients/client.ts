import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { BindingRule } from '../exchange/possession.ts'
import type { JsonObject } from '../json.ts'
import type { Recipient } from '../keys/recipient.ts'
import type { IssuerKeys } from '../keys/remote-keys.ts'
import type { Instant } from '../outside.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { AuthorityAuthentication, RegisteredAuthentication } from './certificate-authentication.ts'
import type { SecretHash } from './secrets.ts'

/** What a client presented to say who it is (RFC 6749 §2.3). Exactly one method; `http/client-credentials.ts` refuses more. */
export type PresentedCredentials =
  | { readonly method: SecretMethod | 'username_token'; readonly candidates: readonly SecretCandidate[] }
  | { readonly method: 'private_key_jwt'; readonly clientId: string | undefined; readonly assertion: string }
  /** `clientId` is undefined in SOAP, where nobody says it. */
  | { readonly method: 'certificate'; readonly clientId: string | undefined; readonly certificate: ClientCertificate }
  /** Nothing that could be checked; `because` is for the log. */
  | { readonly method: 'none'; readonly because: string }

/** The two ways in which a secret travels (RFC 6749 §2.3.1). */
export type SecretMethod = 'client_secret_basic' | 'client_secret_post'

/** One reading of the presented pair. Basic has two: form-decoded (RFC 6749 §2.3.1) and, as many clients send it, raw. They count as one attempt. */
export interface SecretCandidate {
  readonly clientId: string
  readonly secret: string
}

/** How one client proves who it is, and what it is held against. A client has one method; the others are refused. */
export type ClientAuthentication = SecretAuthentication | AssertionAuthentication | AuthorityAuthentication | RegisteredAuthentication

/** The client knows a secret (`client-secret.ts`). Several are good at once while one replaces the other. */
export interface SecretAuthentication {
  readonly method: SecretMethod
  readonly secrets: readonly ClientSecret[]
}

/** The client signs with a key whose public half we know (`private-key-jwt.ts`). */
export interface AssertionAuthentication {
  readonly method: 'private_key_jwt'
  readonly algorithms: ReadonlySet<string>
  readonly keys: IssuerKeys
}

/** One secret of a client, as the server keeps it. */
export interface ClientSecret {
  readonly hash: SecretHash
  /** When it stops being good. */
  readonly until: Instant | undefined
}

/** Which targets a client may have, and which it gets when it names none. */
export interface ClientTokenExchange {
  readonly enabled: boolean
  /** The client's own policy; undefined: the server's default. */
  readonly policy: ProcessorPolicy | undefined
  /** Ids of the managers that it may use; undefined: all that the policy issues to. */
  readonly accessTokenManagers: ReadonlySet<string> | undefined
  /** Ids of the generator groups that it may use; undefined: all that the policy issues to. */
  readonly generatorGroups: ReadonlySet<string> | undefined
  readonly default: DefaultTargets
  /** To which keys its tokens must be bound. */
  readonly binding: BindingRule
}

/** Whether a client may ask what tokens mean, and how it is answered. */
export interface ClientIntrospection {
  readonly enabled: boolean
  /** It gets signed answers (RFC 9701) and no plain JSON. */
  readonly signedOnly: boolean
  /** For whom its signed answers are encrypted; undefined: they are not. */
  readonly recipient: Recipient | undefined
}

/** The ids of the targets where a request names none. */
export interface DefaultTargets {
  readonly accessTokenManager?: string | undefined
  readonly generatorGroup?: string | undefined
}

/** An OAuth client. One file in `clients/`. */
export interface Client {
  readonly id: string
  readonly enabled: boolean
  readonly authentication: ClientAuthentication
  readonly tokenExchange: ClientTokenExchange
  readonly introspection: ClientIntrospection
  /** The ids of the IdP connections that it may use. */
  readonly wsTrust: { readonly enabled: boolean; readonly connections: ReadonlySet<string> }
  /** Names by which it is addressed as a resource server. */
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  /** What expressions read as `context.client`. */
  readonly properties: JsonObject
}
