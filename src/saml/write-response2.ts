import type { Instant } from '../outside.ts'
import { dateTime } from './assertion-content.ts'
import { namespaces } from './names.ts'
import { element, text, type Xml } from './write.ts'

/** A Response of SAML 2.0, as far as it is not the assertion in it. */
export interface ResponseContent {
  readonly id: string
  readonly issuer: string
  readonly issuedAt: Instant
  readonly destination: string
}

const success = 'urn:oasis:names:tc:SAML:2.0:status:Success'

/** Writes a successful Response around an assertion, which is signed or encrypted already and declares its own prefixes (SAML Core §3.2.2). */
export function writeResponse2(assertion: Xml, { id, issuer, issuedAt, destination }: ResponseContent): Xml {
  return element(
    'samlp:Response',
    { 'xmlns:samlp': namespaces.saml2Protocol, Destination: destination, ID: id, IssueInstant: dateTime(issuedAt), Version: '2.0' },
    element('saml:Issuer', { 'xmlns:saml': namespaces.saml2 }, text(issuer)),
    element('samlp:Status', {}, element('samlp:StatusCode', { Value: success })),
    assertion,
  )
}
