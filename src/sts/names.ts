/** The namespaces of the two versions of SOAP (SOAP 1.1 §3, SOAP 1.2 Part 1 §5). */
export const soapNamespaces = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
} as const
/** A version of SOAP. */
export type SoapVersion = keyof typeof soapNamespaces

/** What each version of SOAP is sent as (SOAP 1.1 §6, SOAP 1.2 Part 2 §7). */
export const soapMedia: Readonly<Record<SoapVersion, string>> = { '1.1': 'text/xml', '1.2': 'application/soap+xml' }

/** The namespaces of WS-Trust 1.3 and 1.4, and of the version of February 2005. */
export const trustNamespaces = {
  '1.3': 'http://docs.oasis-open.org/ws-sx/ws-trust/200512',
  '2005/02': 'http://schemas.xmlsoap.org/ws/2005/02/trust',
} as const
/** A version of WS-Trust. 1.4 has the namespace of 1.3. */
export type TrustVersion = keyof typeof trustNamespaces

/** What WS-Trust 1.4 adds (§9.3): `ActAs`. */
export const trust14 = 'http://docs.oasis-open.org/ws-sx/ws-trust/200802'

/** The two versions of WS-Addressing that clients speak. */
export const addressingNamespaces = ['http://www.w3.org/2005/08/addressing', 'http://schemas.xmlsoap.org/ws/2004/08/addressing'] as const
/** The namespace of a version of WS-Addressing. */
export type AddressingNamespace = (typeof addressingNamespaces)[number]

/** Both namespaces of WS-Policy in which `AppliesTo` is sent. */
export const policyNamespaces: readonly string[] = ['http://schemas.xmlsoap.org/ws/2004/09/policy', 'http://www.w3.org/ns/ws-policy']

const wss = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss'
const samlProfile = 'http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1'

/** WS-Security 1.0 and 1.1. */
export const security = {
  wsse: `${wss}-wssecurity-secext-1.0.xsd`,
  wsse11: 'http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd',
  wsu: `${wss}-wssecurity-utility-1.0.xsd`,
  base64: `${wss}-soap-message-security-1.0#Base64Binary`,
  passwordText: `${wss}-username-token-profile-1.0#PasswordText`,
  passwordDigest: `${wss}-username-token-profile-1.0#PasswordDigest`,
} as const

/** How the SAML Token Profile 1.1 calls tokens (§3) and their ids (§3.4, WS-1, WS-2). */
export const samlTokens = {
  saml2: { type: `${samlProfile}.1#SAMLV2.0`, also: 'urn:oasis:names:tc:SAML:2.0:assertion', idType: `${samlProfile}.1#SAMLID` },
  saml11: { type: `${samlProfile}.1#SAMLV1.1`, also: 'urn:oasis:names:tc:SAML:1.0:assertion', idType: `${samlProfile}.0#SAMLAssertionID` },
} as const

/** How others call an OAuth access token in a BinarySecurityToken. */
export const foreignAccessToken = 'urn:pingidentity.com:oauth2:grant_type:validate_bearer'
