import { createHash } from 'node:crypto'
import { DOMParser } from '@xmldom/xmldom'
import type { Desk } from '../../interop/saml-tools.ts'
import type { Federated, Role, SamlProvider } from './iam.ts'
import { demand } from './refusal.ts'

const saml = 'urn:oasis:names:tc:SAML:2.0:assertion'
const protocol = 'urn:oasis:names:tc:SAML:2.0:protocol'
const prefix = 'https://aws.amazon.com/SAML/Attributes/'
const nameCharacters = '[a-zA-Z_0-9+=,.@-]{2,64}'
const signInAddress = /^https:\/\/(?:[a-z0-9-]+\.)?signin\.aws\.amazon\.com\/saml(?:\/acs\/\w+)?$/

/** Judges the assertion of `AssumeRoleWithSAML` as AWS does (AW-3 to AW-13). The signature is verified by xmlsec1, and by nothing of ours. */
export async function judgeSaml(text: string, provider: SamlProvider, role: Role, now: number, desk: Desk): Promise<Federated> {
  demand(text.length >= 4 && text.length <= 100_000, 'ValidationError', 'samlAssertion has a length that is not allowed')
  // Standard base64 of a whole Response; base64url has other characters, and a bare assertion another element (AW-3).
  demand(/^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0, 'InvalidIdentityToken', 'Invalid base64 SAMLResponse')
  const response = parse(Buffer.from(text, 'base64').toString('utf8'))
  demand(isElement(response, protocol, 'Response'), 'InvalidIdentityToken', 'Invalid SAML response')
  const status = one(one(response, protocol, 'Status'), protocol, 'StatusCode').getAttribute('Value')
  demand(status === 'urn:oasis:names:tc:SAML:2.0:status:Success', 'InvalidIdentityToken', 'Response status is not success')
  const { xml, assertion } = await assertionIn(response, provider, desk)
  const certificate = await certificateOf(provider, desk)
  demand(await desk.xmlsec1(xml, certificate, '2.0'), 'InvalidIdentityToken', 'Response signature invalid')
  const issuer = textOf(assertion, 'Issuer')
  demand(parse(provider.metadata).getAttribute('entityID') === issuer, 'InvalidIdentityToken', 'Issuer not present in specified provider')
  judgeTimes(assertion, now)
  const recipient = judgeSubject(assertion, now)
  return {
    ...judgeAttributes(assertion, provider, role),
    answer: answerOf(assertion, issuer, recipient, provider),
    ...lengthOf(assertion, now),
  }
}

async function assertionIn(response: Element, provider: SamlProvider, desk: Desk): Promise<{ xml: string; assertion: Element }> {
  const text = response.ownerDocument.toString()
  const encrypted = children(response, saml, 'EncryptedAssertion')
  if (encrypted.length === 0) {
    // One that is not signed by itself may still be in a signed Response; our rig wants it as WantAssertionsSigned does (AW-4).
    const assertion = one(response, saml, 'Assertion')
    return { xml: text, assertion }
  }
  demand(provider.decryptionKey !== undefined, 'InvalidIdentityToken', 'The provider has no key for an encrypted assertion')
  const xml = await desk.decrypt(text, provider.decryptionKey)
  const decrypted = parse(xml)
  return { xml, assertion: one(one(decrypted, saml, 'EncryptedAssertion'), saml, 'Assertion') }
}

async function certificateOf(provider: SamlProvider, _desk: Desk): Promise<string> {
  const metadata = parse(provider.metadata)
  const [found] = Array.from(metadata.getElementsByTagNameNS('http://www.w3.org/2000/09/xmldsig#', 'X509Certificate'))
  demand(found !== undefined, 'InvalidIdentityToken', 'The provider has no certificate')
  return `-----BEGIN CERTIFICATE-----\n${found.textContent?.replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`
}

// AW-7: five minutes, whatever NotOnOrAfter says.
function judgeTimes(assertion: Element, now: number): void {
  const issued = instant(assertion.getAttribute('IssueInstant'))
  const conditions = one(assertion, saml, 'Conditions')
  demand(now - issued <= 300, 'ExpiredTokenException', 'Token must be redeemed within 5 minutes of issuance')
  demand(issued - now < 60, 'InvalidIdentityToken', 'Token is issued in the future')
  demand(now < instant(conditions.getAttribute('NotOnOrAfter')), 'ExpiredTokenException', 'Token has expired')
  demand(now >= instant(conditions.getAttribute('NotBefore')) - 1, 'InvalidIdentityToken', 'Token is not yet valid')
  const audiences = children(one(conditions, saml, 'AudienceRestriction'), saml, 'Audience').map(each => each.textContent ?? '')
  const wanted = ['urn:amazon:webservices', 'https://signin.aws.amazon.com/saml']
  demand(
    audiences.some(each => wanted.includes(each)),
    'InvalidIdentityToken',
    'Response does not contain the required audience',
  )
}

// AW-9, AW-11.
function judgeSubject(assertion: Element, now: number): string {
  const subject = one(assertion, saml, 'Subject')
  demand(children(subject, saml, 'NameID').length === 1, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithSAML')
  demand(
    children(subject, saml, 'SubjectConfirmation').length === 1,
    'InvalidIdentityToken',
    'SAML assertion must have one SubjectConfirmation',
  )
  const data = one(one(subject, saml, 'SubjectConfirmation'), saml, 'SubjectConfirmationData')
  const recipient = data.getAttribute('Recipient') ?? ''
  demand(signInAddress.test(recipient), 'InvalidIdentityToken', 'Response does not contain the required recipient')
  demand(now < instant(data.getAttribute('NotOnOrAfter')), 'ExpiredTokenException', 'Token has expired')
  return recipient
}

// AW-12, AW-13.
function judgeAttributes(assertion: Element, provider: SamlProvider, role: Role) {
  const attributes = new Map(
    children(one(assertion, saml, 'AttributeStatement'), saml, 'Attribute').map(each => [
      each.getAttribute('Name') ?? '',
      children(each, saml, 'AttributeValue').map(value => value.textContent ?? ''),
    ]),
  )
  const values = (name: string) => attributes.get(prefix + name) ?? []
  const pairs = [`${role.arn},${provider.arn}`, `${provider.arn},${role.arn}`]
  demand(
    values('Role').some(value => pairs.includes(value)),
    'AccessDenied',
    "SAML Assertion doesn't contain the requested Role and Metadata in the attributes",
  )
  const [sessionName = '', second] = values('RoleSessionName')
  demand(sessionName !== '' && second === undefined, 'InvalidIdentityToken', 'RoleSessionName is required in AuthnResponse')
  demand(
    new RegExp(`^${nameCharacters}$`).test(sessionName),
    'InvalidIdentityToken',
    `RoleSessionName in AuthnResponse must match ${nameCharacters}`,
  )
  const [sourceIdentity] = values('SourceIdentity')
  const sourceRule = `Source Identity must match ${nameCharacters} and not begin with aws:`
  demand(sourceIdentity === undefined || new RegExp(`^(?!aws:)${nameCharacters}$`).test(sourceIdentity), 'InvalidIdentityToken', sourceRule)
  const [duration] = values('SessionDuration')
  demand(
    duration === undefined || (Number(duration) >= 900 && Number(duration) <= 43_200),
    'InvalidIdentityToken',
    'SessionDuration is not valid',
  )
  return { sessionName, sourceIdentity, tags: tagsIn(attributes), transitiveTagKeys: values('TransitiveTagKeys') }
}

function tagsIn(attributes: ReadonlyMap<string, string[]>): Record<string, string> {
  const named = [...attributes].filter(([name]) => name.startsWith(`${prefix}PrincipalTag:`))
  demand(
    named.every(([, values]) => values.length === 1),
    'InvalidIdentityToken',
    'A principal tag must have one value',
  )
  return Object.fromEntries(named.map(([name, [value = '']]) => [name.slice(`${prefix}PrincipalTag:`.length), value]))
}

function answerOf(assertion: Element, issuer: string, recipient: string, { arn }: SamlProvider): Record<string, string> {
  const nameId = one(one(assertion, saml, 'Subject'), saml, 'NameID')
  const [, , , , account = '', name = ''] = arn.split(':')
  const qualifier = createHash('sha1')
    .update(`${issuer}${account}/${name.split('/')[1]}`)
    .digest('base64')
  const format = nameId.getAttribute('Format') ?? ''
  return {
    Subject: nameId.textContent ?? '',
    SubjectType: format.replace('urn:oasis:names:tc:SAML:2.0:nameid-format:', ''),
    Issuer: issuer,
    Audience: recipient,
    NameQualifier: qualifier,
  }
}

function lengthOf(assertion: Element, now: number): { longest?: number } {
  const [statement] = children(assertion, saml, 'AuthnStatement')
  const until = statement?.getAttribute('SessionNotOnOrAfter') ?? ''
  return until === '' ? {} : { longest: instant(until) - now }
}

function parse(xml: string): Element {
  return new DOMParser().parseFromString(xml, 'text/xml').documentElement
}

function isElement(node: Node, namespace: string, name: string): node is Element {
  return (node as Element).namespaceURI === namespace && (node as Element).localName === name
}

function children(element: Element, namespace: string, name: string): Element[] {
  return Array.from(element.childNodes).filter((node): node is Element => isElement(node, namespace, name))
}

function one(element: Element, namespace: string, name: string): Element {
  const [found, another] = children(element, namespace, name)
  demand(found !== undefined && another === undefined, 'InvalidIdentityToken', `Invalid SAML response: ${name}`)
  return found
}

function textOf(element: Element, name: string): string {
  return one(element, saml, name).textContent ?? ''
}

function instant(text: string | null): number {
  return Date.parse(text ?? '') / 1000
}
