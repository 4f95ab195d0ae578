import type { X509Certificate } from 'node:crypto'
import type { Instant } from '../outside.ts'
import type { ProxyRestriction } from '../processors/processor.ts'

/** How somebody is named (SAML Core §2.2.2, SAML 1.1 Core §2.4.2.2). */
export interface NameId {
  readonly value: string
  readonly format: string | undefined
  readonly nameQualifier: string | undefined
  /** Only SAML 2.0 has it. */
  readonly spNameQualifier?: string | undefined
}

/** How whoever presents an assertion shows that it may (SAML Core §2.4.1, SAML 1.1 Core §2.4.2.3). */
export interface Confirmation {
  readonly method: 'bearer' | 'senderVouches' | 'holderOfKey'
  /** Whose key has to be shown, for `holderOfKey`. */
  readonly holder: X509Certificate | undefined
  /** Only SAML 2.0 says where and until when. */
  readonly recipient?: string | undefined
  readonly notOnOrAfter?: Instant | undefined
}

/** An attribute with its values, none of which is left out (SAML Core §2.7.3.1, SAML 1.1 Core §2.4.4.1). */
export interface SamlAttribute {
  readonly name: string
  /** NameFormat in SAML 2.0, AttributeNamespace in 1.1. */
  readonly qualifier: string | undefined
  readonly friendlyName: string | undefined
  readonly values: readonly string[]
}

/** An authentication as an assertion states it. */
export interface AuthenticationStatement {
  readonly instant: Instant
  /** AuthnContextClassRef in SAML 2.0, AuthenticationMethod in 1.1. */
  readonly by: string
  /** Only SAML 2.0 has it. */
  readonly sessionIndex?: string | undefined
}

/** Somebody who acts for the subject, as the delegation restriction names him. */
export interface Delegate {
  readonly iss: string
  readonly sub: string
}

/** Everything that an assertion says, in the words of both versions. */
export interface AssertionContent {
  readonly id: string
  readonly issuer: string
  readonly issuedAt: Instant
  readonly notBefore: Instant
  readonly notOnOrAfter: Instant
  readonly audiences: readonly string[]
  /** OneTimeUse in SAML 2.0, DoNotCacheCondition in 1.1. */
  readonly oneTimeUse: boolean
  readonly subject: NameId
  readonly confirmation: Confirmation
  readonly authentication: AuthenticationStatement | undefined
  readonly attributes: readonly SamlAttribute[]
  /** Only SAML 2.0 has it: what whoever takes the assertion may issue from it. */
  readonly proxyRestriction?: ProxyRestriction | undefined
  /** Only SAML 2.0 has them, the first one first; empty where nobody acts. */
  readonly delegates?: readonly Delegate[]
}

/** xs:dateTime in UTC (SAML Core §1.3.3). Fractions of a second are cut off, because some receivers cannot read them. */
export function dateTime(instant: Instant): string {
  return `${new Date(Math.floor(instant) * 1000).toISOString().slice(0, 19)}Z`
}
