import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { Instant } from '../outside.ts'
import type { AssumedToken } from './assumed.ts'

/** An actor as its proof names it (RFC 8693 §4.1), with the earlier actors nested inside, most recent first. */
export interface Actor extends JsonObject {
  readonly iss: string
  readonly sub: string
  readonly act?: Actor
}

/** SAML Core §2.5.1.6: at most so many further generations (0: none), and only for these audiences (empty: for everybody). */
export interface ProxyRestriction {
  readonly count?: number
  readonly audiences: readonly string[]
}

/** An authentication event: `auth_time`, `acr` and `amr` of a JWT, the AuthnStatement of an assertion. */
export interface Authentication {
  readonly instant?: Instant
  readonly contextClass?: string
  readonly methods?: readonly string[]
  readonly sessionIndex?: string
}

/** What a token proves. Nothing here is a decision: audience, expiry, delegation and scope are judged by the pipeline. */
export interface Proof {
  readonly issuer: string
  readonly subject: string
  /** What tells two subjects of one issuer and name apart (SAML NameQualifier); absent where a name is one subject. */
  readonly subjectQualifier?: string
  /** Whom the token names as its audience; empty where it names nobody. */
  readonly audiences: readonly string[]
  /** Further restrictions to an audience, each of which must be met as well: SAML has them, JWT has not. */
  readonly furtherAudiences?: ReadonlyArray<readonly string[]>
  readonly expiresAt?: Instant
  readonly notBefore?: Instant
  readonly issuedAt?: Instant
  /** `jti` or assertion id. */
  readonly id?: string
  /** The client that the token was issued to, where the issuer is this server. */
  readonly clientId?: string
  /** Absent where the token has no scope claim at all, which is not the same as an empty scope. */
  readonly scope?: readonly string[]
  /** `cnf`: the token may only be used with proof of a key. */
  readonly confirmation?: JsonObject
  /** `act` as the token has it, unchecked. */
  readonly act?: JsonValue
  /** `may_act` as the token has it, unchecked. */
  readonly mayAct?: JsonValue
  /** The token itself demands to be used only once (SAML `OneTimeUse`), whatever the processor's file says. */
  readonly oneTimeUse?: boolean
  /** How far further tokens may be made from this one (SAML `ProxyRestriction`). */
  readonly proxyRestriction?: ProxyRestriction
  /** How and when the subject authenticated, as far as the token tells. */
  readonly authentication?: Authentication
  /** Ids of this server's tokens from which this one was exchanged. Only tokens of this server have them. */
  readonly ancestors?: readonly string[]
  /** What expressions read as `subject` or `actor`. */
  readonly attributes: JsonObject
}

/** What a processor may know of the request. */
export interface ProcessorRequest {
  readonly now: Instant
  /** Further names under which this server was asked: a token may have been delivered to them. */
  readonly addressed?: readonly string[]
  /** Where the request came from, for whoever counts attempts. */
  readonly clientIp?: string
  /** The client certificate of the connection. */
  readonly certificate?: ClientCertificate
}

/** What every processor's file may say beside its own settings. */
export interface ProcessorLimits {
  /** Seconds by which our clock and the issuer's may differ. */
  readonly clockSkew: number
  /** The most seconds since `iat`. */
  readonly maxAge?: number
  /** The most seconds between `iat` and `exp`. */
  readonly maxLifetime?: number
  /** Whether a token may be exchanged only once. */
  readonly once: boolean
}

/** How a token comes with a SOAP message: as the element of an assertion, as text in a BinarySecurityToken, as a UsernameToken, or as the certificate of its connection. */
export type TokenForm = 'assertion' | 'text' | 'username' | 'x509'

/** Proves one kind of inbound token. One instance is one file in `policies/token-processors`. */
export interface TokenProcessor {
  readonly id: string
  readonly limits: ProcessorLimits
  /** Those of the token types of RFC 8693 §3 whose tokens it can prove; absent: all of them. */
  readonly wellKnownTypes?: readonly string[]
  /** How its tokens stand in a SOAP message; absent: as text. */
  readonly form?: TokenForm
  /** Whose tokens it takes; more than one makes subjects ambiguous without their issuer. */
  readonly issuers: readonly string[]
  /** `own`: tokens of this server. `foreign`: everybody else's. `presented`: secrets, which are told to nobody but the one who is asked. The audience rules differ (`exchange/check-audience.ts`). */
  readonly origin: 'own' | 'foreign' | 'presented'
  /** The audiences that the file accepts; undefined means this server only. `client` stands for the client's own audiences. */
  readonly audiences: readonly string[] | undefined
  /** JSON Schema of the attributes that it proves, for the type check of expressions; undefined: anything may be there. */
  readonly attributes: JsonObject | undefined
  /** Throws `TokenRejected` when the token proves nothing, `Outage` when that could not be found out. */
  process(token: string, request: ProcessorRequest): Promise<Proof>
  /**
   * What `process` would prove of a genuine token that says this, by the same rules after the signature: for policy tests, which have
   * no tokens. Throws `TokenRejected` as `process` does, and an `AssumptionMistake` where no such token can say this.
   */
  assume(token: AssumedToken): Proof
}
