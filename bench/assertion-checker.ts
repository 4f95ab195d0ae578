import type { KeyObject } from 'node:crypto'
import { DOMParser } from '@xmldom/xmldom'
import { SignedXml } from 'xml-crypto'
import { namespaces } from '../src/saml/names.ts'

/** Verifies assertions by xml-crypto, as its README shows it, and reads the attributes out of the bytes that were signed. */
export function assertionChecker(publicCert: KeyObject): (xml: string) => Map<string, string[]> {
  return xml => {
    const { documentElement } = new DOMParser().parseFromString(xml, 'text/xml')
    const [signature] = Array.from(documentElement.getElementsByTagNameNS(namespaces.signature, 'Signature'))
    const verifier = new SignedXml({ publicCert, getCertFromKeyInfo: () => null })
    if (signature === undefined) throw new Error('not signed')
    verifier.loadSignature(signature)
    if (!verifier.checkSignature(xml)) throw new Error('not genuine')
    return attributesOf(new DOMParser().parseFromString(verifier.getSignedReferences()[0] ?? '', 'text/xml'))
  }
}

function attributesOf(document: Document): Map<string, string[]> {
  const attributes = Array.from(document.getElementsByTagNameNS(namespaces.saml2, 'Attribute'))
  return new Map(
    attributes.map(attribute => {
      const values = Array.from(attribute.getElementsByTagNameNS(namespaces.saml2, 'AttributeValue'))
      return [attribute.getAttribute('Name') ?? '', values.map(value => value.textContent ?? '')]
    }),
  )
}
