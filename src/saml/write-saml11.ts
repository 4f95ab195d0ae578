import {
  type AssertionContent,
  type AuthenticationStatement,
  type Confirmation,
  dateTime,
  type NameId,
  type SamlAttribute,
} from './assertion-content.ts'
import { keyInfo, x509Data } from './key-info.ts'
import { confirmationMethods11, namespaces } from './names.ts'
import type { UnsignedAssertion } from './sign.ts'
import { closeTag, element, join, openTag, text, type Xml } from './write.ts'

/** Writes a SAML 1.1 assertion (SAML 1.1 Core §2.3.2); its signature is the last child. Every statement has its own Subject. */
export function writeSaml11(content: AssertionContent): UnsignedAssertion {
  const { id, issuer, issuedAt, authentication, attributes } = content
  const owner = subject(content.subject, content.confirmation)
  const assertion = {
    'xmlns:saml': namespaces.saml11,
    AssertionID: id,
    IssueInstant: dateTime(issuedAt),
    Issuer: issuer,
    MajorVersion: '1',
    MinorVersion: '1',
  }
  const before = join(
    openTag('saml:Assertion', assertion),
    conditions(content),
    authentication && authenticationStatement(authentication, owner),
    attributes.length > 0 ? element('saml:AttributeStatement', {}, owner, ...attributes.map(attribute)) : undefined,
  )
  return { id, before, after: closeTag('saml:Assertion') }
}

function subject({ value, format, nameQualifier }: NameId, confirmation: Confirmation): Xml {
  const name = element('saml:NameIdentifier', { Format: format, NameQualifier: nameQualifier }, text(value, 'SAML_SUBJECT'))
  return element('saml:Subject', {}, name, subjectConfirmation(confirmation))
}

function subjectConfirmation({ method, holder }: Confirmation): Xml {
  return element(
    'saml:SubjectConfirmation',
    {},
    element('saml:ConfirmationMethod', {}, text(confirmationMethods11[method])),
    join(holder && keyInfo(x509Data(holder), 'alone')),
  )
}

function conditions({ notBefore, notOnOrAfter, audiences, oneTimeUse }: AssertionContent): Xml {
  return element(
    'saml:Conditions',
    { NotBefore: dateTime(notBefore), NotOnOrAfter: dateTime(notOnOrAfter) },
    element('saml:AudienceRestrictionCondition', {}, ...audiences.map(name => element('saml:Audience', {}, text(name)))),
    join(oneTimeUse ? element('saml:DoNotCacheCondition', {}) : undefined),
  )
}

function authenticationStatement({ instant, by }: AuthenticationStatement, owner: Xml): Xml {
  return element('saml:AuthenticationStatement', { AuthenticationInstant: dateTime(instant), AuthenticationMethod: by }, owner)
}

function attribute({ name, qualifier, values }: SamlAttribute): Xml {
  return element(
    'saml:Attribute',
    { AttributeName: name, AttributeNamespace: qualifier },
    ...values.map(value => element('saml:AttributeValue', {}, text(value, name))),
  )
}
