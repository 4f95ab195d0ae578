import type { Partition } from '../aws/partitions.ts'
import type { Grant, IssuedToken } from '../exchange/grant.ts'
import type { JsonObject } from '../json.ts'
import type { Contract } from '../policies/processor-policy.ts'
import type { TokenBinding, TokenMaker } from '../policies/target.ts'
import type { ProxyRestriction } from '../processors/processor.ts'
import type { SamlEntity } from '../saml/metadata-out.ts'

/** The part of what has been decided that a generator writes into its token. */
export type GeneratorGrant = Pick<
  Grant,
  'attributes' | 'client' | 'delegation' | 'binding' | 'expiresBy' | 'authentication' | 'proxyRestriction' | 'now'
>

/** Makes one kind of outbound token. One instance is one file in `policies/token-generators`. */
export interface TokenGenerator {
  readonly id: string
  readonly type: string
  /** The token type that it makes (RFC 8693 §3). */
  readonly tokenType: string
  readonly contract: Contract
  /** Seconds a token lives at most. */
  readonly lifetime: number
  /** Whether the subject token's expiry does not cap it. */
  readonly outlivesSubject: boolean
  /** Whether it writes the actors of a delegation by itself; otherwise the mapping has to read `act`, or a delegation is refused. */
  readonly expressesActor: boolean
  /** Where others find the keys that its tokens are signed with. Absent: it signs nothing itself. */
  readonly publication?: Publication | undefined
  /** Whether a token may be made from one that restricts this (SAML `ProxyRestriction`), and says so itself. Absent: never. */
  permits?(restriction: ProxyRestriction): boolean
  /** To which keys its tokens must be bound; absent: to none. */
  readonly binding?: TokenMaker['binding']
  /** Whether a token can say that only the holder of this key may use it. Absent: never. */
  binds?(binding: TokenBinding): boolean
  generate(grant: GeneratorGrant): Promise<IssuedToken>
  /** How AWS is asked for credentials with its tokens. Absent: they are not for that. */
  readonly roleRequest?: RoleRequest | undefined
}

/** A request for the temporary credentials of a role of AWS (AW-1, AW-21). */
export interface RoleRequest {
  readonly action: 'AssumeRoleWithSAML' | 'AssumeRoleWithWebIdentity'
  /** The only partition in which the tokens mean something; undefined: they mean it everywhere. */
  readonly partition: Partition | undefined
  /** What the request says of a token and of the attributes that it was made of. */
  parametersOf(token: string, attributes: JsonObject): Readonly<Record<string, string>>
}

/** What is published so that others can verify the tokens: a SAML entity's metadata, or an issuer's discovery and JWKS documents. */
export type Publication = { readonly as: 'saml-entity'; readonly entity: SamlEntity } | JwtIssuerPublication

/** The documents of an issuer of JWTs (OpenID Connect Discovery §4, RFC 7517 §5), as JSON text. */
export interface JwtIssuerPublication {
  readonly as: 'jwt-issuer'
  readonly issuer: string
  /** `GET /issuers/<generator>/.well-known/openid-configuration` */
  readonly openidConfiguration: string
  /** `GET /issuers/<generator>/jwks` */
  readonly jwks: string
}

/** Who issues what the generator makes; undefined where that is somebody else. */
export function issuerOf({ publication }: TokenGenerator): string | undefined {
  if (publication === undefined) return undefined
  return publication.as === 'jwt-issuer' ? publication.issuer : publication.entity.entityId
}
