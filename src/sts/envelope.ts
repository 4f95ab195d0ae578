import { OAuthError, TokenRejected } from '../oauth/errors.ts'
import { readXmlText, tokenLimits, type XmlDocument } from '../saml/read.ts'
import { hasNoText, isElement, type XmlElement } from '../saml/xml-element.ts'
import { type SoapVersion, soapNamespaces } from './names.ts'

/** A SOAP message: its headers that are for us, and the one element of its body. */
export interface Envelope {
  readonly soap: SoapVersion
  readonly headers: readonly Header[]
  readonly content: XmlElement
  readonly document: XmlDocument
}

/** A header block, and whether it may be ignored. */
export interface Header {
  readonly element: XmlElement
  readonly mustUnderstand: boolean
}

/**
 * Reads a SOAP message (SOAP 1.1 §4, SOAP 1.2 Part 1 §5) by the rules for tokens: no document type, no entity, no comment, every id
 * unique over the whole of it. `sentAs` is the version that its media type names.
 */
export function readEnvelope(text: string, sentAs: SoapVersion): Envelope {
  const document = parse(text)
  const { root } = document
  const soap = (Object.keys(soapNamespaces) as SoapVersion[]).find(version => isElement(root, soapNamespaces[version], 'Envelope'))
  if (soap === undefined) throw new OAuthError('soap-version-mismatch', 'the message is no envelope of SOAP 1.1 or 1.2')
  if (soap !== sentAs) throw new OAuthError('soap-version-mismatch', 'the media type of the message is that of another version of SOAP')
  const namespace = soapNamespaces[soap]
  const [header, body] = isElement(root.children[0], namespace, 'Header') ? root.children : [undefined, ...root.children]
  const isWhole = isElement(body, namespace, 'Body') && root.children.length === (header === undefined ? 1 : 2) && hasNoText(root)
  if (!isWhole) throw malformed('the envelope has something else than a header and a body')
  const [content] = body.children
  if (content === undefined || body.children.length > 1 || !hasNoText(body)) throw malformed('the body must have exactly one element')
  if (header !== undefined && !hasNoText(header)) throw malformed('the header has text between its elements')
  return { soap, headers: (header?.children ?? []).flatMap(element => headerFor(element, soap)), content, document }
}

function parse(text: string): XmlDocument {
  try {
    // A message is put together by several programs, each with prefixes of its own; its tokens are cut out before they are verified.
    return readXmlText(text, { ...tokenLimits, rebinding: true })
  } catch (error) {
    if (!(error instanceof TokenRejected)) throw error
    throw new OAuthError('malformed-request', error.message.replace('the token', 'the message'), { cause: error })
  }
}

const roles: Readonly<Record<SoapVersion, readonly string[]>> = {
  '1.1': ['', 'http://schemas.xmlsoap.org/soap/actor/next'],
  '1.2': ['', ...['next', 'ultimateReceiver'].map(role => `${soapNamespaces['1.2']}/role/${role}`)],
}
const attributeOf: Readonly<Record<SoapVersion, string>> = { '1.1': 'actor', '1.2': 'role' }

// What is meant for somebody else on the way is none of our business (SOAP 1.1 §4.2.2, SOAP 1.2 Part 1 §2.2).
function headerFor(element: XmlElement, soap: SoapVersion): Header[] {
  const attribute = (name: string) => element.attributes.get(`{${soapNamespaces[soap]}}${name}`) ?? ''
  if (!roles[soap].includes(attribute(attributeOf[soap]))) return []
  const mustUnderstand = attribute('mustUnderstand')
  if (!['', '0', '1', 'true', 'false'].includes(mustUnderstand)) throw malformed('a header has a mustUnderstand that is no truth value')
  return [{ element, mustUnderstand: mustUnderstand === '1' || mustUnderstand === 'true' }]
}

/** The one child of this name, in any of these namespaces; undefined where there is none. Two are refused (WT-4). */
export function onlyChild(parent: XmlElement, namespaces: readonly string[], name: string): XmlElement | undefined {
  const [child, second] = parent.children.filter(each => each.name === name && namespaces.includes(each.namespace))
  if (second !== undefined) throw malformed(`${name} is there twice`)
  return child
}

/** The text of an element that has nothing else, without the white space around it. */
export function plainText(element: XmlElement): string {
  if (element.children.length > 0) throw malformed(`${element.name} is no plain text`)
  return element.text.trim()
}

/** The refusal of a message that is not as it should be. */
export function malformed(why: string): OAuthError {
  return new OAuthError('malformed-request', why)
}
