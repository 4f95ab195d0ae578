import { OAuthError } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import { namespaces } from '../saml/names.ts'
import { isElement, type XmlElement } from '../saml/xml-element.ts'
import { type Envelope, onlyChild } from './envelope.ts'
import { instantIn } from './instant.ts'
import { security } from './names.ts'

/** What the security header of a message has (WS-Security §5). Nothing of it has been proved. */
export interface SecurityHeader {
  readonly timestamp: XmlElement | undefined
  readonly userName: XmlElement | undefined
  readonly tokens: readonly XmlElement[]
}

/** By how many seconds our clock and the sender's may differ. */
export const messageSkew = 60
/** How many seconds after it was made a message is taken. */
export const messageLife = 300

/** The security header that is for us: at most one, and in it nothing that is not understood (WT-14). */
export function readSecurity({ headers }: Envelope): SecurityHeader {
  const [header, second] = headers.filter(({ element }) => isElement(element, security.wsse, 'Security'))
  if (second !== undefined) throw refused('there is more than one security header')
  if (header === undefined) return { timestamp: undefined, userName: undefined, tokens: [] }
  const { element } = header
  const timestamp = onlyChild(element, [security.wsu], 'Timestamp')
  const userName = onlyChild(element, [security.wsse], 'UsernameToken')
  const tokens = element.children.filter(isToken)
  if (element.children.length !== tokens.length + Number(timestamp !== undefined) + Number(userName !== undefined))
    throw refused('the security header has something that is not understood here, such as a signature of the message')
  return { timestamp, userName, tokens }
}

/** Whether an element is a token, of whatever kind. */
export function isToken(element: XmlElement): boolean {
  return isAssertion(element) || isElement(element, security.wsse, 'BinarySecurityToken')
}

/** Whether an element is an assertion, which may be encrypted. */
export function isAssertion(element: XmlElement): boolean {
  return (
    isElement(element, namespaces.saml2, 'Assertion') ||
    isElement(element, namespaces.saml11, 'Assertion') ||
    isElement(element, namespaces.saml2, 'EncryptedAssertion')
  )
}

/** Refuses a message that is too old, or from the future (WS-Security §10, WT-15). One without a timestamp says nothing of its age. */
export function requireFresh({ timestamp }: SecurityHeader, now: Instant): void {
  if (timestamp === undefined) return
  const created = onlyChild(timestamp, [security.wsu], 'Created')
  const expires = onlyChild(timestamp, [security.wsu], 'Expires')
  if (created === undefined) throw refused('the timestamp does not say when the message was made')
  requireYoung(instantIn(created), now)
  if (expires !== undefined && now >= instantIn(expires) + messageSkew) throw expired()
}

/** Refuses what was made too long ago, or is still to be made. */
export function requireYoung(created: Instant, now: Instant): void {
  if (created > now + messageSkew || now > created + messageLife + messageSkew) throw expired()
}

function expired(): OAuthError {
  return new OAuthError('message-expired', 'the message is too old, or was made in the future')
}

function refused(why: string): OAuthError {
  return new OAuthError('security-header-refused', why)
}
