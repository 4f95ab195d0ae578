import { hash, timingSafeEqual } from 'node:crypto'
import type { Branded } from '../branded.ts'
import { TokenRejected } from '../oauth/errors.ts'
import { namespaces, type XmlSignatureAlgorithm } from './names.ts'
import { readXmlText, type XmlDocument } from './read.ts'
import { readSigned, type SignedText } from './read-signed.ts'
import { readSignature, unusual, type XmlSignature } from './signature.ts'
import type { VerificationKey } from './verification-key.ts'
import type { XmlLimits } from './well-formed.ts'
import { forEveryElement, isElement, type XmlElement } from './xml-element.ts'

/** Who may have signed, and how: the keys of one issuer and nobody else's (SC-18, SC-23). */
export interface SignatureTrust {
  readonly keys: readonly VerificationKey[]
  readonly algorithms: ReadonlySet<XmlSignatureAlgorithm>
  /** The limits that the signed bytes are read with again. */
  readonly limits: XmlLimits
}

/** A kind of element that can be signed as an enveloping whole: where its ID and its Signature stand (SAML Core §5.4.1, SAML 1.1 Core §5.4.2). */
export interface SignedKind {
  readonly idAttribute: string
  /** The one place among the children at which the schema has the Signature. */
  signaturePlace(children: readonly XmlElement[]): number
}

/** What was signed, read again from the text that was digested, without the signature: nothing else of a document is ever looked at. */
export type VerifiedContent = Branded<{ readonly root: XmlElement }, 'signature verified'>

/** The same as a document, in which a further signature can be verified. */
export type VerifiedDocument = VerifiedContent & XmlDocument

/** None of the keys has made the signature. Another key of the issuer may have, where its keys change. */
export class UnknownSigner extends TokenRejected {}

/** The Signature of an element, in its place; undefined where it has none. */
export function signatureOf(element: XmlElement, kind: SignedKind): XmlElement | undefined {
  const place = element.children[kind.signaturePlace(element.children)]
  return isElement(place, namespaces.signature, 'Signature') ? place : undefined
}

/** Verifies the enveloped signature of an element (XML Signature §3.2, SC-9 to SC-22) and hands on what was signed. */
export function verifyEnveloped(document: XmlDocument, element: XmlElement, kind: SignedKind, trust: SignatureTrust): VerifiedContent {
  requireNoOtherSignature(element, [element])
  const signature = requireSignature(element, kind)
  const root = readSigned(signedText(document, element, signature, kind, trust))
  requireSame(root, element, signature)
  return { root } as VerifiedContent
}

/** The same for an element in which there is another one, `innerSigner`, that may be signed as well. */
export function verifyAround(
  document: XmlDocument,
  element: XmlElement,
  kind: SignedKind,
  trust: SignatureTrust,
  innerSigner: XmlElement,
): VerifiedDocument {
  requireNoOtherSignature(element, [element, innerSigner])
  const signature = requireSignature(element, kind)
  const inside = readXmlText(signedText(document, element, signature, kind, trust), trust.limits)
  requireSame(inside.root, element, signature)
  return inside as VerifiedDocument
}

/** Refuses every Signature that is not the direct child of one of these elements, and a second one there (SC-9). */
export function requireNoOtherSignature(root: XmlElement, signers: readonly (XmlElement | undefined)[]): void {
  forEveryElement(root, element => {
    let signatures = 0
    for (const child of element.children) if (child.name === 'Signature') signatures++
    if (signatures > (signers.includes(element) ? 1 : 0)) throw unusual('there is a signature in another place')
  })
}

function requireSignature(element: XmlElement, kind: SignedKind): XmlElement {
  const signature = signatureOf(element, kind)
  if (signature === undefined) throw new TokenRejected('the token is not signed, or its signature is not in its place')
  return signature
}

/** The canonical form of an element without its signature, as one of the keys has signed it. */
function signedText(
  document: XmlDocument,
  element: XmlElement,
  signatureElement: XmlElement,
  kind: SignedKind,
  trust: SignatureTrust,
): SignedText {
  const signature = readSignature(signatureElement)
  const id = element.attributes.get(kind.idAttribute) ?? ''
  // Only the parent: an empty URI, an XPointer or another ID would have the signature speak for something else (SC-12).
  if (id === '' || signature.uri !== `#${id}`) throw unusual('it does not refer to the element that it stands in')
  requireSignedBy(trust, signature, document.canonical(signature.signedInfo, signature.signedInfoPrefixes))
  return requireDigest(signature, document.canonical(element, signature.referencePrefixes, signatureElement))
}

// The signature comes before the digest: whoever has no key gets no more of our time than it costs to canonicalise SignedInfo.
function requireSignedBy({ keys, algorithms }: SignatureTrust, { algorithm, value }: XmlSignature, canonical: string): void {
  if (!algorithms.has(algorithm))
    throw new TokenRejected('the token is signed with an algorithm that is not accepted here', { member: 'algorithms' })
  const signed = Buffer.from(canonical, 'utf8')
  if (!keys.some(key => key.verifies(algorithm, signed, value))) throw new UnknownSigner('the signature of the token is not valid')
}

function requireDigest({ hash: algorithm, digest }: XmlSignature, signed: string): SignedText {
  // A canonicalisation that fails must never turn into the digest of nothing (CVE-2025-66568).
  if (signed === '') throw new Error('canonicalisation gave nothing')
  const actual = hash(algorithm, signed, 'buffer')
  if (actual.length !== digest.length || !timingSafeEqual(actual, digest)) throw notValid()
  return signed as SignedText
}

// SC-20 and SC-21. What was digested is read again, so that nothing that canonicalisation left out or moved can be read as signed. Two
// readers, of which the first one saw the document and this one the signed text only, must then have seen the same.
function requireSame(signed: XmlElement, element: XmlElement, signature?: XmlElement): void {
  const children = signature === undefined ? element.children : element.children.filter(child => child !== signature)
  const same =
    signed.name === element.name &&
    signed.namespace === element.namespace &&
    signed.text === element.text &&
    signed.attributes.size === element.attributes.size &&
    signed.children.length === children.length
  if (!same) throw notValid()
  for (const [name, value] of element.attributes) if (signed.attributes.get(name) !== value) throw notValid()
  for (let index = 0; index < children.length; index++) requireSame(signed.children[index] as XmlElement, children[index] as XmlElement)
}

function notValid(): TokenRejected {
  return new TokenRejected('the signature of the token is not valid', { member: 'issuers' })
}
