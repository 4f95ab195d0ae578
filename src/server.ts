import type { AccessTokenManager } from './access-tokens/access-token-manager.ts'
import type { Client, DefaultTargets } from './clients/client.ts'
import type { ClientAuthenticator } from './clients/client-authenticator.ts'
import type { DataStore } from './data-stores/data-store.ts'
import type { DpopProofs } from './dpop/dpop-proofs.ts'
import type { BearerToken } from './http/bearer.ts'
import type { Callers } from './http/caller.ts'
import type { Documents } from './http/documents.ts'
import type { SigningKey } from './keys/signing-key.ts'
import type { Outside } from './outside.ts'
import type { IdpConnection } from './policies/idp-connection.ts'
import type { ProcessorPolicy } from './policies/processor-policy.ts'
import type { TargetIndex } from './policies/target-index.ts'
import type { TlsMaterial } from './tls/tls-context.ts'

/** Everything that an exchange needs. Built once from the files, frozen, and swapped as a whole. */
export interface Server {
  readonly issuer: string
  readonly tokenEndpoint: string
  /** A hash over the configuration's files; stands in every audit record. */
  readonly version: string
  readonly clients: ReadonlyMap<string, Client>
  readonly authenticator: Pick<ClientAuthenticator, 'authenticate' | 'knows'>
  /** Checks DPoP proofs. */
  readonly dpop: Pick<DpopProofs, 'check' | 'nextNonce'>
  /** Who is on the other end of a connection. */
  readonly callers: Callers
  readonly defaults: DefaultTargets & { readonly policy: ProcessorPolicy | undefined }
  readonly accessTokenManagers: ReadonlyMap<string, AccessTokenManager>
  readonly targets: TargetIndex
  readonly policies: ReadonlyMap<string, ProcessorPolicy>
  /** The WS-Trust partners. */
  readonly connections: ReadonlyMap<string, IdpConnection>
  /** Where lookups are made. */
  readonly dataStores: ReadonlyMap<string, DataStore>
  /** The issuers of our token generators: what comes back from one carries no scope, since nothing could be written into it. */
  readonly generatorIssuers: ReadonlySet<string>
  /** Who signs answers of introspection (RFC 9701); undefined: nobody, they are plain JSON. */
  readonly introspectionSigner: SigningKey | undefined
  /** How many actors a token may name. */
  readonly maxActorDepth: number
  /** Seconds that a revocation is remembered: no token lives longer. */
  readonly longestLifetime: number
  readonly documents: Documents
  /** Who may read `/metrics`; undefined when nobody may. */
  readonly metrics: { readonly bearer: BearerToken | undefined } | undefined
  /** What administrators have to bring; undefined: there is nothing for them here. */
  readonly admin: { readonly bearer: BearerToken } | undefined
  /** What this server shows who it is with; undefined where it answers by plain http. */
  readonly tls: TlsMaterial | undefined
  readonly outside: Outside
}
