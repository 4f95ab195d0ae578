import type { KeyObject } from 'node:crypto'
import { TokenRejected } from '../oauth/errors.ts'
import type { VerifiedAssertion } from './assertion.ts'
import { decryptXml, notDecrypted } from './decrypt.ts'
import { unacceptable } from './facts.ts'
import { namespaces } from './names.ts'
import { readXml } from './read.ts'
import { isElement, type XmlElement } from './xml-element.ts'

/** Where a part may be encrypted, and what it is then: parent, name, name of what is inside (SAML Core §2.2.4, §2.7.3.2). */
const places = [
  ['Subject', 'EncryptedID', 'NameID'],
  ['AttributeStatement', 'EncryptedAttribute', 'Attribute'],
] as const

// Each costs an RSA operation.
const mostParts = 32

/**
 * Puts NameID and Attribute in the place of EncryptedID and EncryptedAttribute. The signature covers what is encrypted and the key that
 * is wrapped beside it, so that its maker alone has chosen what comes out. What comes out is one such element and nothing else.
 */
export function withPartsDecrypted(assertion: VerifiedAssertion, keys: readonly KeyObject[]): VerifiedAssertion {
  let parts = 0
  for (const parent of assertion.children) for (const child of parent.children) if (partNameOf(parent, child) !== undefined) parts++
  if (parts === 0) return assertion
  if (keys.length === 0) throw new TokenRejected('a part of the assertion is encrypted, and nothing encrypted is accepted here')
  if (parts > mostParts) throw unacceptable('too many parts of it are encrypted')
  return { ...assertion, children: assertion.children.map(parent => withChildrenDecrypted(parent, keys)) } as VerifiedAssertion
}

function withChildrenDecrypted(parent: XmlElement, keys: readonly KeyObject[]): XmlElement {
  const children = parent.children.map(child => {
    const name = partNameOf(parent, child)
    return name === undefined ? child : decryptPart(child, name, keys)
  })
  return { ...parent, children }
}

function partNameOf(parent: XmlElement, child: XmlElement): string | undefined {
  // Before anything is compared: nearly all names begin otherwise.
  if (!child.name.startsWith('Encrypted')) return undefined
  const { saml2 } = namespaces
  return places.find(([where, encrypted]) => isElement(parent, saml2, where) && isElement(child, saml2, encrypted))?.[2]
}

function decryptPart(encrypted: XmlElement, name: string, keys: readonly KeyObject[]): XmlElement {
  const root = rootOf(decryptXml(encrypted, keys))
  if (!isElement(root, namespaces.saml2, name)) throw notDecrypted()
  return root
}

// That something was decrypted, and was no XML, is nobody's business either.
function rootOf(bytes: Buffer): XmlElement {
  try {
    return readXml(bytes).root
  } catch (error) {
    throw error instanceof TokenRejected ? notDecrypted() : error
  }
}
