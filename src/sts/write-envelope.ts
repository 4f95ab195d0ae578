import type { Instant } from '../outside.ts'
import { dateTime } from '../saml/assertion-content.ts'
import { element, join, text, type Xml } from '../saml/write.ts'
import type { Manner } from './manner.ts'
import { security, soapNamespaces, trustNamespaces } from './names.ts'
import { messageLife } from './security-header.ts'

/** Writes an answer around its body, with the headers that its request calls for (WT-26, WT-27). `action` is what WS-Addressing calls it. */
export function writeEnvelope(manner: Manner, action: string, body: Xml, now: Instant): string {
  const declarations = { 'xmlns:soap': soapNamespaces[manner.soap], 'xmlns:wst': trustNamespaces[manner.trust] }
  const headers = join(manner.addressing && addressingHeaders(manner.addressing, action), manner.timestamped ? timestamp(now) : undefined)
  return element(
    'soap:Envelope',
    declarations,
    headers === '' ? join() : element('soap:Header', {}, headers),
    element('soap:Body', {}, body),
  )
}

function addressingHeaders({ namespace, messageId }: NonNullable<Manner['addressing']>, action: string): Xml {
  const declared = { 'xmlns:wsa': namespace }
  return join(
    element('wsa:Action', { ...declared, 'soap:mustUnderstand': '1' }, text(action)),
    messageId === undefined ? undefined : element('wsa:RelatesTo', declared, text(messageId)),
  )
}

function timestamp(now: Instant): Xml {
  return element(
    'wsse:Security',
    { 'xmlns:wsse': security.wsse, 'soap:mustUnderstand': '1' },
    element('wsu:Timestamp', { 'xmlns:wsu': security.wsu, 'wsu:Id': 'TS' }, period(now, now + messageLife)),
  )
}

/** When something begins and ends. The prefix is declared around it. */
export function period(created: Instant, expires: Instant): Xml {
  return join(element('wsu:Created', {}, text(dateTime(created))), element('wsu:Expires', {}, text(dateTime(expires))))
}
