import type { Instant } from '../outside.ts'
import type { Authentication } from '../processors/processor.ts'
import type { AuthenticationStatement } from '../saml/assertion-content.ts'

/** When an assertion states how its subject authenticated. */
export const authnStatements = ['when-known', 'always', 'never'] as const
export type WhenAuthnStatement = (typeof authnStatements)[number]

/**
 * The authentication that an assertion states (SAML Core §2.7.2). Without an instant nothing is known to have happened; `always`
 * states the present then, because some receivers take no assertion without a statement.
 */
export function authenticationFor(
  when: WhenAuthnStatement,
  authentication: Authentication = {},
  now: Instant,
  by: (authentication: Authentication) => string,
): AuthenticationStatement | undefined {
  const instant = authentication.instant ?? (when === 'always' ? now : undefined)
  if (when === 'never' || instant === undefined) return undefined
  return { instant, by: by(authentication), sessionIndex: authentication.sessionIndex }
}

/** The AuthnContextClassRef (SAML AuthnContext §3.4): the one that the inbound token names, or one for its SAML 1.1 method or `amr`. */
export function contextClass({ contextClass: named, methods = [] }: Authentication): string {
  if (named !== undefined && absoluteUri.test(named)) return ways.find(({ method }) => method === named)?.class ?? named
  return wayOf(methods)?.class ?? `${classes}unspecified`
}

/** The AuthenticationMethod (SAML 1.1 Core §7.1): the one that the inbound token names, or one for its SAML 2.0 class or `amr`. */
export function authenticationMethod({ contextClass: named, methods = [] }: Authentication): string {
  const known = ways.find(way => named !== undefined && [way.method, way.class, way.alias].includes(named))
  return (known ?? wayOf(methods))?.method ?? 'urn:oasis:names:tc:SAML:1.0:am:unspecified'
}

function wayOf(methods: readonly string[]): Way | undefined {
  return ways.find(({ amr }) => amr !== undefined && methods.includes(amr))
}

// An `acr` such as "2" is a level of its issuer, which means nothing to anybody else.
const absoluteUri = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$/
const classes = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'
const methodsOf11 = 'urn:oasis:names:tc:SAML:1.0:am:'

/** One way to authenticate in the words of SAML 1.1, SAML 2.0 and RFC 8176. */
interface Way {
  readonly method: string
  readonly class: string
  readonly alias?: string
  /** Absent where RFC 8176 has no word. */
  readonly amr?: string
}

const ways: readonly Way[] = [
  { method: `${methodsOf11}HardwareToken`, class: `${classes}SmartcardPKI`, alias: `${classes}Smartcard`, amr: 'sc' },
  { method: `${methodsOf11}password`, class: `${classes}Password`, alias: `${classes}PasswordProtectedTransport`, amr: 'pwd' },
  { method: `${methodsOf11}X509-PKI`, class: `${classes}X509`, alias: `${classes}SoftwarePKI` },
  { method: 'urn:ietf:rfc:2246', class: `${classes}TLSClient` },
  { method: 'urn:ietf:rfc:1510', class: `${classes}Kerberos`, amr: 'wia' },
  { method: 'urn:ietf:rfc:2945', class: `${classes}SecureRemotePassword` },
  { method: 'urn:ietf:rfc:3075', class: `${classes}XMLDSig` },
  { method: `${methodsOf11}PGP`, class: `${classes}PGP` },
  { method: `${methodsOf11}SPKI`, class: `${classes}SPKI` },
]
