import { OAuthError } from '../oauth/errors.ts'
import type { XmlElement } from '../saml/xml-element.ts'
import { type Envelope, type Header, malformed, onlyChild, plainText } from './envelope.ts'
import { type AddressingNamespace, addressingNamespaces, security } from './names.ts'

/** What a message says by WS-Addressing (1.0 Core §3). */
export interface Addressing {
  readonly namespace: AddressingNamespace
  readonly action: string | undefined
  readonly messageId: string | undefined
}

const understood = ['Action', 'MessageID', 'To', 'From', 'ReplyTo', 'FaultTo', 'RelatesTo', 'ReferenceParameters']
const anonymous = [`${addressingNamespaces[0]}/anonymous`, `${addressingNamespaces[1]}/role/anonymous`]

/** Reads the addressing headers; undefined where there are none. No address in a message is ever called: answers go back as they came (WT-28). */
export function readAddressing({ headers }: Envelope): Addressing | undefined {
  const [namespace, other] = addressingNamespaces.filter(each => headers.some(({ element }) => element.namespace === each))
  if (namespace === undefined) return undefined
  if (other !== undefined) throw malformed('the message speaks two versions of WS-Addressing')
  const header = (name: string) => onlyHeader(headers, namespace, name)
  for (const name of ['ReplyTo', 'FaultTo']) requireAnonymous(header(name), namespace)
  for (const name of ['To', 'From']) header(name)
  const textOf = (element: XmlElement | undefined) => (element === undefined ? undefined : plainText(element))
  return { namespace, action: textOf(header('Action')), messageId: textOf(header('MessageID')) }
}

/** Refuses a header that must be understood and is not (SOAP 1.1 §4.2.3, SOAP 1.2 Part 1 §5.4.8). */
export function requireUnderstood({ headers }: Envelope): void {
  for (const { element, mustUnderstand } of headers) {
    const { namespace, name } = element
    const isKnown =
      (namespace === security.wsse && name === 'Security') ||
      ((addressingNamespaces as readonly string[]).includes(namespace) && understood.includes(name))
    if (mustUnderstand && !isKnown) throw new OAuthError('header-not-understood', 'a header that must be understood is not known here')
  }
}

function onlyHeader(headers: readonly Header[], namespace: string, name: string): XmlElement | undefined {
  const [header, second] = headers.filter(({ element }) => element.namespace === namespace && element.name === name)
  if (second !== undefined) throw malformed(`the header ${name} is there twice`)
  return header?.element
}

function requireAnonymous(endpoint: XmlElement | undefined, namespace: string): void {
  if (endpoint === undefined) return
  const address = onlyChild(endpoint, [namespace], 'Address')
  if (address === undefined || !anonymous.includes(plainText(address)))
    throw new OAuthError('reply-address-refused', 'answers go to the sender only: ReplyTo and FaultTo must be anonymous')
}
