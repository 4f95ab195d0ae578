import { issuerOf } from './assertion.ts'
import { issuerOf11 } from './assertion11.ts'
import { namespaces } from './names.ts'
import type { SamlVersion } from './open.ts'
import { checkResponse2, checkResponse11, senderOf2 } from './response.ts'
import { isElement, type XmlElement } from './xml-element.ts'

// Right behind the Issuer, which a Response may lack.
function placeBehindIssuer([first]: readonly XmlElement[]): number {
  return isElement(first, namespaces.saml2, 'Issuer') ? 1 : 0
}

/** SAML 2.0 (SAML Core §2.3.3, §3.2.2): the Signature of an assertion follows its Issuer (SC-10). */
export const saml2Version: SamlVersion = {
  name: 'SAML 2.0',
  namespace: namespaces.saml2,
  protocol: namespaces.saml2Protocol,
  assertion: { idAttribute: 'ID', signaturePlace: () => 1 },
  response: { idAttribute: 'ID', signaturePlace: placeBehindIssuer },
  issuerOf,
  senderOf: senderOf2,
  checkResponse: checkResponse2,
}

/** SAML 1.1 (SAML 1.1 Core §2.3.2, §3.4): the Signature is the last child of an assertion, and the first one of a response. */
export const saml11Version: SamlVersion = {
  name: 'SAML 1.1',
  namespace: namespaces.saml11,
  protocol: namespaces.saml11Protocol,
  assertion: { idAttribute: 'AssertionID', signaturePlace: children => children.length - 1 },
  response: { idAttribute: 'ResponseID', signaturePlace: () => 0 },
  issuerOf: issuerOf11,
  senderOf: () => undefined,
  checkResponse: checkResponse11,
}
