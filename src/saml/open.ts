import type { KeyObject } from 'node:crypto'
import { TokenRejected } from '../oauth/errors.ts'
import type { VerifiedAssertion } from './assertion.ts'
import type { DeliveryRules } from './confirmation.ts'
import { decryptXml } from './decrypt.ts'
import { withPartsDecrypted } from './encrypted-parts.ts'
import { unacceptable } from './facts.ts'
import { namespaces } from './names.ts'
import { readXml, type XmlDocument } from './read.ts'
import { contentOf } from './response.ts'
import { requireNoOtherSignature, type SignatureTrust, type SignedKind, signatureOf, verifyAround, verifyEnveloped } from './verify.ts'
import { forEveryElement, isElement, type XmlElement } from './xml-element.ts'

/** A version of SAML: what its assertions and the responses around them look like. */
export interface SamlVersion {
  readonly name: string
  readonly namespace: string
  readonly protocol: string
  readonly assertion: SignedKind
  readonly response: SignedKind
  /** Who claims to have made an assertion; proven only when its signature is verified with keys of that issuer. */
  issuerOf(assertion: XmlElement): string
  /** Who claims to have sent a response; undefined where it does not say. */
  senderOf(response: XmlElement): string | undefined
  /** Throws when a response does not report success, or is for somebody else. */
  checkResponse(response: XmlElement, rules: DeliveryRules): void
}

/** What a processor takes beside a bare assertion, and whose signatures it trusts. */
export interface OpeningRules extends DeliveryRules {
  readonly acceptResponse: boolean
  readonly decryptionKeys: readonly KeyObject[]
  /** The keys of one issuer; throws `TokenRejected` for one that is not known. */
  trustIn(issuer: string): Promise<SignatureTrust>
}

/**
 * Finds the one assertion of a token and verifies it (SC-6, SC-9, SC-20 to SC-23, SC-40). Nothing is ever searched for: the assertion is the
 * root, or the one in an EncryptedAssertion or Response that is the root.
 */
export async function openAssertion(document: XmlDocument, version: SamlVersion, rules: OpeningRules): Promise<VerifiedAssertion> {
  return withPartsDecrypted(await openVerified(document, version, rules), rules.decryptionKeys)
}

async function openVerified(document: XmlDocument, version: SamlVersion, rules: OpeningRules): Promise<VerifiedAssertion> {
  const { root } = document
  requireOneAssertion(root)
  if (isElement(root, version.protocol, 'Response') && rules.acceptResponse) return await openResponse(document, version, rules)
  requireNoOtherSignature(root, [root])
  return await verifyAssertion(...decrypted(document, root, version, rules), version, rules)
}

async function openResponse(document: XmlDocument, version: SamlVersion, rules: OpeningRules): Promise<VerifiedAssertion> {
  const { root } = document
  const content = contentOf(root, version)
  requireNoOtherSignature(root, [root, content])
  if (signatureOf(root, version.response) === undefined) {
    version.checkResponse(root, rules)
    return sentBy(root, await verifyAssertion(...decrypted(document, content, version, rules), version, rules), version)
  }
  return await openSignedResponse(document, content, version, rules)
}

/** SC-22: where a Response is signed, the assertion is looked for in what was signed, and may do without a signature of its own there. */
async function openSignedResponse(document: XmlDocument, content: XmlElement, version: SamlVersion, rules: OpeningRules) {
  const isEncrypted = content.name !== 'Assertion'
  const sender = version.senderOf(document.root) ?? (isEncrypted ? undefined : version.issuerOf(content))
  if (sender === undefined) throw unacceptable('the response around it does not say who sent it')
  const signed = verifyAround(document, document.root, version.response, await rules.trustIn(sender), content)
  version.checkResponse(signed.root, rules)
  const inside = contentOf(signed.root, version)
  const isCovered = !isEncrypted && signatureOf(inside, version.assertion) === undefined
  const assertion = isCovered
    ? (inside as VerifiedAssertion)
    : await verifyAssertion(...decrypted(signed, inside, version, rules), version, rules)
  if (version.issuerOf(assertion) !== sender) throw otherSender()
  return sentBy(signed.root, assertion, version)
}

function decrypted(document: XmlDocument, element: XmlElement, version: SamlVersion, rules: OpeningRules): [XmlDocument, XmlElement] {
  const isEncrypted =
    isElement(element, version.namespace, 'EncryptedAssertion') || isElement(element, namespaces.encryption, 'EncryptedData')
  if (!isEncrypted) return [document, element]
  if (rules.decryptionKeys.length === 0)
    throw new TokenRejected('the token is encrypted, and encrypted tokens are not accepted here', { member: 'decryptionKeys' })
  // Its own signature is still required: anybody can encrypt for us (CVE-2026-18108).
  const inside = readXml(decryptXml(element, rules.decryptionKeys))
  requireOneAssertion(inside.root)
  requireNoOtherSignature(inside.root, [inside.root])
  return [inside, inside.root]
}

async function verifyAssertion(
  document: XmlDocument,
  element: XmlElement,
  version: SamlVersion,
  rules: OpeningRules,
): Promise<VerifiedAssertion> {
  if (!isElement(element, version.namespace, 'Assertion')) throw new TokenRejected(`the token is not an assertion of ${version.name}`)
  const issuer = version.issuerOf(element)
  const { root } = verifyEnveloped(document, element, version.assertion, await rules.trustIn(issuer))
  // The issuer that chose the keys was read before anything was verified; the one that counts is that of the signed bytes (SC-23).
  if (!isElement(root, version.namespace, 'Assertion') || version.issuerOf(root) !== issuer)
    throw unacceptable('its issuer is not the one who signed it')
  return root as VerifiedAssertion
}

function sentBy(response: XmlElement, assertion: VerifiedAssertion, version: SamlVersion): VerifiedAssertion {
  if ((version.senderOf(response) ?? version.issuerOf(assertion)) !== version.issuerOf(assertion)) throw otherSender()
  return assertion
}

// A second assertion, wherever it is hidden, is there to be mistaken for the first (SC-24).
function requireOneAssertion(root: XmlElement): void {
  let assertions = 0
  forEveryElement(root, ({ name }) => {
    if (name === 'Assertion' && ++assertions > 1) throw unacceptable('there is another assertion in it')
  })
}

function otherSender(): TokenRejected {
  return unacceptable('the response around it was sent by somebody else')
}
