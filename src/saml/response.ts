import type { DeliveryRules } from './confirmation.ts'
import { requiredChild, unacceptable } from './facts.ts'
import { namespaces } from './names.ts'
import type { SamlVersion } from './open.ts'
import { hasNoText, isElement, type XmlElement } from './xml-element.ts'

const around = ['Issuer', 'Signature', 'Status']

/** The one assertion, encrypted or not, that a Response has, and beside it nothing that is not needed (SC-6). */
export function contentOf(response: XmlElement, { namespace }: Pick<SamlVersion, 'namespace'>): XmlElement {
  const contents = response.children.filter(({ name }) => !around.includes(name))
  const [content] = contents
  const isAssertion = isElement(content, namespace, 'Assertion') || isElement(content, namespace, 'EncryptedAssertion')
  const namesOnce = new Set(response.children.map(({ name }) => name)).size === response.children.length
  if (contents.length !== 1 || !isAssertion || !namesOnce || !hasNoText(response)) {
    throw unacceptable('the response around it has more than a status and one assertion')
  }
  return content as XmlElement
}

/** SAML Core §3.2.2: success, of this version, and for us. */
export function checkResponse2(response: XmlElement, rules: DeliveryRules): void {
  if (response.attributes.get('Version') !== '2.0') throw unacceptable('the response around it is not of version 2.0')
  const code = requiredChild(requiredChild(response, 'Status'), 'StatusCode').attributes.get('Value')
  if (code !== 'urn:oasis:names:tc:SAML:2.0:status:Success') throw unacceptable('the response around it reports a failure')
  checkDelivery(response, 'Destination', rules)
}

/** SAML 1.1 Core §3.4: the status is a qualified name there, whose prefix is of no importance. */
export function checkResponse11(response: XmlElement, rules: DeliveryRules): void {
  if (response.attributes.get('MajorVersion') !== '1' || response.attributes.get('MinorVersion') !== '1') {
    throw unacceptable('the response around it is not of version 1.1')
  }
  const code = requiredChild(requiredChild(response, 'Status'), 'StatusCode').attributes.get('Value') ?? ''
  if (code.split(':').at(-1) !== 'Success') throw unacceptable('the response around it reports a failure')
  checkDelivery(response, 'Recipient', rules)
}

/** The Issuer of a Response of SAML 2.0, which may be left out. */
export function senderOf2(response: XmlElement): string | undefined {
  return response.children.find(child => isElement(child, namespaces.saml2, 'Issuer'))?.text
}

function checkDelivery(response: XmlElement, attribute: string, { recipients, acceptInResponseTo }: DeliveryRules): void {
  const destination = response.attributes.get(attribute)
  if (destination !== undefined && !recipients.has(destination)) throw unacceptable('the response around it is for another recipient')
  if (response.attributes.has('InResponseTo') && !acceptInResponseTo) {
    throw unacceptable('the response around it belongs to a request of somebody else (InResponseTo)')
  }
}
