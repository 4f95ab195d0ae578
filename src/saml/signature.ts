import { TokenRejected } from '../oauth/errors.ts'
import { decodeBase64Binary } from './base64.ts'
import { digestAlgorithms, type HashName, namespaces, transforms, type XmlSignatureAlgorithm, xmlSignatureAlgorithms } from './names.ts'
import { hasNoText, isElement, type XmlElement } from './xml-element.ts'

/** A signature that has the one shape that is taken here; nothing about it has been verified. */
export interface XmlSignature {
  readonly signedInfo: XmlElement
  /** InclusiveNamespaces of the canonicalisation of SignedInfo, and of the transform of what is signed. */
  readonly signedInfoPrefixes: readonly string[]
  readonly referencePrefixes: readonly string[]
  readonly algorithm: XmlSignatureAlgorithm
  readonly hash: HashName
  /** `URI`: a hash and the ID of what is signed. */
  readonly uri: string
  readonly digest: Buffer
  readonly value: Buffer
}

/**
 * Reads a Signature that is exactly what SAML Core §5.4 has it be (SC-11 to SC-15, SC-17): one SignedInfo, one Reference, enveloped and
 * exclusive canonicalisation, listed algorithms, no Object. Everything else that XML Signature allows has been somebody's way in.
 */
export function readSignature(signature: XmlElement): XmlSignature {
  requireAttributes(signature, [], ['Id'])
  const [signedInfo, signatureValue] = childrenInOrder(signature, ['SignedInfo', 'SignatureValue'], ['KeyInfo'])
  requireAttributes(signatureValue, [], ['Id'])
  return { signedInfo, ...readSignedInfo(signedInfo), value: binary(signatureValue) }
}

function readSignedInfo(signedInfo: XmlElement): Omit<XmlSignature, 'signedInfo' | 'value'> {
  requireAttributes(signedInfo, [], ['Id'])
  const [canonicalization, method, reference] = childrenInOrder(signedInfo, ['CanonicalizationMethod', 'SignatureMethod', 'Reference'])
  return {
    signedInfoPrefixes: exclusivePrefixes(canonicalization),
    algorithm: nameOf(xmlSignatureAlgorithms, algorithmOf(childless(method))),
    ...readReference(reference),
  }
}

function readReference(reference: XmlElement): Pick<XmlSignature, 'uri' | 'referencePrefixes' | 'hash' | 'digest'> {
  requireAttributes(reference, ['URI'], ['Id'])
  const [chain, method, value] = childrenInOrder(reference, ['Transforms', 'DigestMethod', 'DigestValue'])
  requireAttributes(chain, [])
  const [enveloped, exclusive] = childrenInOrder(chain, ['Transform', 'Transform'])
  if (algorithmOf(childless(enveloped)) !== transforms.enveloped) throw unusual('its first transform is not the enveloped signature')
  requireAttributes(value, [])
  return {
    uri: reference.attributes.get('URI') ?? '',
    referencePrefixes: exclusivePrefixes(exclusive),
    hash: nameOf(digestAlgorithms, algorithmOf(childless(method))),
    digest: binary(value),
  }
}

/** The PrefixList of an exclusive canonicalisation; comments, which tell its two kinds apart, are refused before. */
function exclusivePrefixes(element: XmlElement): readonly string[] {
  const algorithm = algorithmOf(element)
  if (algorithm !== transforms.exclusive && algorithm !== transforms.exclusiveWithComments) {
    throw unusual('it is not canonicalised exclusively')
  }
  const [inclusive, ...others] = element.children
  if (inclusive === undefined) return []
  const expected = isElement(inclusive, namespaces.exclusiveCanonicalization, 'InclusiveNamespaces')
  if (!expected || others.length > 0) throw unusual('a transform has parameters')
  requireAttributes(childless(inclusive), ['PrefixList'])
  const prefixes = (inclusive.attributes.get('PrefixList') ?? '').split(/[ \t\r\n]+/).filter(prefix => prefix !== '')
  if (prefixes.length > 16 || new Set(prefixes).size !== prefixes.length) throw unusual('it lists too many namespace prefixes')
  return prefixes
}

/** Exactly these children of the namespace of XML Signature, in this order, and then at most the optional ones. */
function childrenInOrder<const Names extends readonly string[]>(
  parent: XmlElement,
  names: Names,
  optional: readonly string[] = [],
): { readonly [Index in keyof Names]: XmlElement } {
  const expected = [...names, ...optional]
  const fits = parent.children.every((child, index) => isElement(child, namespaces.signature, expected[index] ?? ''))
  if (!fits || parent.children.length < names.length || !hasNoText(parent)) throw unusual(`its ${parent.name} is not as SAML has it`)
  return parent.children as { readonly [Index in keyof Names]: XmlElement }
}

function requireAttributes(element: XmlElement, required: readonly string[], optional: readonly string[] = []): void {
  const known = [...required, ...optional]
  const complete = required.every(name => element.attributes.has(name))
  if (!complete || [...element.attributes.keys()].some(name => !known.includes(name))) {
    throw unusual('an attribute of it is missing or unknown')
  }
}

// A child of a method is a parameter, such as HMACOutputLength (CVE-2009-0217) or an XPath.
function childless(element: XmlElement): XmlElement {
  if (element.children.length > 0 || !hasNoText(element)) throw unusual('an algorithm has parameters')
  return element
}

function algorithmOf(element: XmlElement): string {
  requireAttributes(element, ['Algorithm'])
  return element.attributes.get('Algorithm') ?? ''
}

function nameOf<Name extends string>(algorithms: Readonly<Record<Name, string>>, uri: string): Name {
  const found = (Object.keys(algorithms) as Name[]).find(name => algorithms[name] === uri)
  if (found === undefined) throw new TokenRejected('the token is signed with an algorithm that is not accepted here')
  return found
}

function binary(element: XmlElement): Buffer {
  const bytes = element.children.length > 0 ? undefined : decodeBase64Binary(element.text)
  if (bytes === undefined) throw unusual(`its ${element.name} is not base64`)
  return bytes
}

/** The refusal of a signature that is not of the one shape. */
export function unusual(what: string): TokenRejected {
  return new TokenRejected(`the signature of the token is not acceptable: ${what}`)
}
