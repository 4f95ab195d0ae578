import type { ProxyRestriction } from '../processors/processor.ts'
import {
  type AssertionContent,
  type AuthenticationStatement,
  type Confirmation,
  type Delegate,
  dateTime,
  type NameId,
  type SamlAttribute,
} from './assertion-content.ts'
import { keyInfo, x509Data } from './key-info.ts'
import { confirmationMethods, namespaces } from './names.ts'
import type { UnsignedAssertion } from './sign.ts'
import { closeTag, element, join, openTag, text, type Xml } from './write.ts'

/** Writes a SAML 2.0 assertion (SAML Core §2.3.3); its signature goes behind the Issuer. */
export function writeSaml2(content: AssertionContent): UnsignedAssertion {
  const { id, issuedAt, delegates = [] } = content
  const attributes = {
    'xmlns:del': delegates.length > 0 ? namespaces.delegation : undefined,
    'xmlns:saml': namespaces.saml2,
    ID: id,
    IssueInstant: dateTime(issuedAt),
    Version: '2.0',
  }
  const after = join(
    subject(content.subject, content.confirmation),
    conditions(content),
    content.authentication && authnStatement(content.authentication),
    attributeStatement(content.attributes),
    closeTag('saml:Assertion'),
  )
  return {
    id,
    before: join(openTag('saml:Assertion', attributes), element('saml:Issuer', {}, text(content.issuer))),
    after,
    // The prefix stands in the value of an xsi:type, where canonicalisation does not see that it is used.
    ...(delegates.length > 0 && { inclusivePrefix: 'del' }),
  }
}

function subject(name: NameId, confirmation: Confirmation): Xml {
  return element('saml:Subject', {}, nameId(name, 'SAML_SUBJECT'), subjectConfirmation(confirmation))
}

function nameId({ value, format, nameQualifier, spNameQualifier }: NameId, what: string): Xml {
  const attributes = { Format: format, NameQualifier: nameQualifier, SPNameQualifier: spNameQualifier }
  return element('saml:NameID', attributes, text(value, what))
}

function subjectConfirmation(confirmation: Confirmation): Xml {
  return element('saml:SubjectConfirmation', { Method: confirmationMethods[confirmation.method] }, join(confirmationData(confirmation)))
}

// SAML Core §2.4.1.2 and §2.4.1.3: a holder's key makes it another type of data.
function confirmationData({ holder, recipient, notOnOrAfter }: Confirmation): Xml | undefined {
  const attributes = { NotOnOrAfter: notOnOrAfter === undefined ? undefined : dateTime(notOnOrAfter), Recipient: recipient }
  if (holder !== undefined) {
    const typed = { 'xmlns:xsi': namespaces.schemaInstance, 'xsi:type': 'saml:KeyInfoConfirmationDataType' }
    return element('saml:SubjectConfirmationData', { ...attributes, ...typed }, keyInfo(x509Data(holder), 'alone'))
  }
  if (recipient === undefined && notOnOrAfter === undefined) return undefined
  return element('saml:SubjectConfirmationData', attributes)
}

function conditions({ notBefore, notOnOrAfter, audiences, oneTimeUse, proxyRestriction, delegates = [] }: AssertionContent): Xml {
  return element(
    'saml:Conditions',
    { NotBefore: dateTime(notBefore), NotOnOrAfter: dateTime(notOnOrAfter) },
    join(delegates.length > 0 ? delegationRestriction(delegates) : undefined),
    element('saml:AudienceRestriction', {}, ...audiences.map(audience)),
    join(oneTimeUse ? element('saml:OneTimeUse', {}) : undefined),
    join(proxyRestriction && writeProxyRestriction(proxyRestriction)),
  )
}

function audience(name: string): Xml {
  return element('saml:Audience', {}, text(name))
}

function writeProxyRestriction({ count, audiences }: ProxyRestriction): Xml {
  return element('saml:ProxyRestriction', { Count: count?.toString() }, ...audiences.map(audience))
}

/** SAML V2.0 Condition for Delegation Restriction §2: the delegates from the first one to the one that acts now. */
function delegationRestriction(delegates: readonly Delegate[]): Xml {
  const attributes = { 'xmlns:xsi': namespaces.schemaInstance, 'xsi:type': 'del:DelegationRestrictionType' }
  return element('saml:Condition', attributes, ...delegates.map(delegate))
}

function delegate({ iss, sub }: Delegate): Xml {
  return element('del:Delegate', {}, nameId({ value: sub, nameQualifier: iss, format: undefined }, 'the name of an actor'))
}

function authnStatement({ instant, by, sessionIndex }: AuthenticationStatement): Xml {
  return element(
    'saml:AuthnStatement',
    { AuthnInstant: dateTime(instant), SessionIndex: sessionIndex },
    element('saml:AuthnContext', {}, element('saml:AuthnContextClassRef', {}, text(by))),
  )
}

// The schema wants at least one attribute (SAML Core §2.7.3).
function attributeStatement(attributes: readonly SamlAttribute[]): Xml | undefined {
  return attributes.length === 0 ? undefined : element('saml:AttributeStatement', {}, ...attributes.map(attribute))
}

// No xsi:type on the values: its prefix would be dropped from the signed bytes, which then break the schema.
function attribute({ name, qualifier, friendlyName, values }: SamlAttribute): Xml {
  return element(
    'saml:Attribute',
    { FriendlyName: friendlyName, Name: name, NameFormat: qualifier },
    ...values.map(value => element('saml:AttributeValue', {}, text(value, name))),
  )
}
