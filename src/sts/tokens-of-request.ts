import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { XmlDocument } from '../saml/read.ts'
import { isElement, type XmlElement } from '../saml/xml-element.ts'
import { malformed, onlyChild, plainText } from './envelope.ts'
import { type InboundToken, takeOut, unsupported } from './inbound-token.ts'
import { security, trust14 } from './names.ts'
import type { Operation } from './operation.ts'
import { isToken, type SecurityHeader } from './security-header.ts'

/** Whose token it is that is asked about, and who acts for its subject. */
export interface RequestTokens {
  readonly subject: InboundToken
  readonly actor: InboundToken | undefined
  readonly isDelegation: boolean
}

interface Message {
  readonly envelope: { readonly document: XmlDocument }
  readonly security: SecurityHeader
  readonly userNameIsCaller: boolean
  readonly certificate: ClientCertificate | undefined
}

/**
 * Finds the tokens of a request. The subject's stands in `ValidateTarget`, `OnBehalfOf` (WS-Trust 1.3 §9.1) or `ActAs` (1.4 §9.3), or else
 * in the security header; beside `ActAs`, the header may have the token of the one who acts. A token that nothing uses refuses the
 * request: whoever sent it thinks that it means something.
 */
export function tokensOf(request: XmlElement, operation: Operation, message: Message): RequestTokens {
  const holder = holderOf(request, operation)
  const { document } = message.envelope
  const inHeader = unclaimedIn(message)
  const held = holder?.children[0]
  const subject = held === undefined ? inHeader[0] : isReference(held) ? referred(held, inHeader) : held
  if (subject === undefined) return { subject: ofConnection(message), actor: undefined, isDelegation: false }
  const others = inHeader.filter(element => element !== subject)
  const isDelegation = holder?.name === 'ActAs'
  if (others.length > (isDelegation ? 1 : 0)) throw unsupported('the security header has a token that this request has no use for')
  return { subject: takeOut(subject, document), actor: others[0] && takeOut(others[0], document), isDelegation }
}

// WT-18: whoever sends no token may mean the one that was shown before the message.
function ofConnection({ certificate }: Message): InboundToken {
  if (certificate === undefined) throw malformed('the request has no token')
  return { form: 'x509', type: 'x509', text: certificate.leaf.x509.raw.toString('base64'), claimedIssuer: undefined }
}

function holderOf(request: XmlElement, operation: Operation): XmlElement | undefined {
  const [holder, second] = [
    onlyChild(request, [request.namespace], 'OnBehalfOf'),
    onlyChild(request, [trust14], 'ActAs'),
    onlyChild(request, [request.namespace], 'ValidateTarget'),
  ].filter(element => element !== undefined)
  if (second !== undefined) throw malformed('the request names several tokens to be its subject')
  if (holder === undefined) return undefined
  if ((holder.name === 'ValidateTarget') !== (operation === 'validate')) throw malformed(`${holder.name} does not go with this RequestType`)
  const [held, another] = holder.children
  if (held === undefined || another !== undefined) throw malformed(`${holder.name} must have exactly one token`)
  return holder
}

function unclaimedIn({ security: { tokens, userName }, userNameIsCaller }: Message): readonly XmlElement[] {
  return userName === undefined || userNameIsCaller ? tokens : [...tokens, userName]
}

function isReference(element: XmlElement): boolean {
  return isElement(element, security.wsse, 'SecurityTokenReference')
}

/** The token of the header that a reference means (WS-Security §7). Nothing outside of the message is ever looked for. */
function referred(reference: XmlElement, tokens: readonly XmlElement[]): XmlElement {
  const direct = onlyChild(reference, [security.wsse], 'Reference')?.attributes.get('URI')
  const key = onlyChild(reference, [security.wsse], 'KeyIdentifier')
  const id = direct === undefined ? key && plainText(key) : direct.startsWith('#') ? direct.slice(1) : undefined
  const found = tokens.find(token => id !== undefined && id !== '' && idOf(token) === id)
  if (found === undefined || !isToken(found)) throw malformed('a SecurityTokenReference refers to no token of the security header')
  return found
}

function idOf({ attributes }: XmlElement): string | undefined {
  return attributes.get('ID') ?? attributes.get('AssertionID') ?? attributes.get(`{${security.wsu}}Id`)
}
