import { isElement } from '../saml/xml-element.ts'
import type { Envelope } from './envelope.ts'
import { addressingNamespaces, type SoapVersion, security, type TrustVersion } from './names.ts'
import { trustVersionOf } from './operation.ts'

/** How a message is answered: in the versions in which it was asked, also where it is refused. */
export interface Manner {
  readonly soap: SoapVersion
  readonly trust: TrustVersion
  readonly addressing: { readonly namespace: string; readonly messageId: string | undefined } | undefined
  /** Whether the answer has a timestamp: some clients reject one without, where they have sent one themselves (WT-27). */
  readonly timestamped: boolean
}

/** The manner of a message that could not be read. */
export function plainManner(soap: SoapVersion): Manner {
  return { soap, trust: '1.3', addressing: undefined, timestamped: false }
}

/** The manner of a message. It judges nothing, so that every refusal can be answered. */
export function mannerOf({ soap, headers, content }: Envelope): Manner {
  const named = (name: string) =>
    headers.find(({ element }) => element.name === name && (addressingNamespaces as readonly string[]).includes(element.namespace))
  const addressed = named('Action') ?? named('MessageID')
  const messageId = named('MessageID')?.element.text.trim()
  const header = headers.find(({ element }) => isElement(element, security.wsse, 'Security'))
  return {
    soap,
    trust: trustVersionOf(content) ?? '1.3',
    addressing: addressed && { namespace: addressed.element.namespace, messageId: messageId === '' ? undefined : messageId },
    timestamped: header?.element.children.some(child => isElement(child, security.wsu, 'Timestamp')) === true,
  }
}
