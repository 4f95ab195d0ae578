import { hash } from 'node:crypto'
import type { Instant } from '../outside.ts'
import type { Proof } from '../processors/processor.ts'
import { decodeBase64Binary } from './base64.ts'
import { children, instantOf, optionalChild, unacceptable } from './facts.ts'
import { confirmationMethods, confirmationMethods11, namespaces } from './names.ts'
import { childrenOf, hasNoText, isElement, type XmlElement } from './xml-element.ts'

/** Where an assertion may have been sent by the one who made it. */
export interface DeliveryRules {
  /** Values of Recipient (and of a Response's Destination) that are taken. */
  readonly recipients: ReadonlySet<string>
  /** Whether an answer to a request that somebody else made (`InResponseTo`: browser single sign-on) is taken. */
  readonly acceptInResponseTo: boolean
}

/** Who may use an assertion, and until when that is confirmed. */
export interface Confirmed {
  /** Undefined where the confirmation has no end of its own. */
  readonly until: Instant | undefined
  /** The certificate whose key has to be shown; undefined for a bearer. */
  readonly confirmation?: Proof['confirmation']
}

/**
 * Until when whoever brings an assertion is its subject (SAML Profiles §3, RFC 7522 §3 item 5, SC-33, SC-36): the latest of the bearer
 * confirmations that hold; where there is no bearer, whoever shows the key of its one holder. Nobody here has vouched for a sender.
 */
export function confirmedBy(subject: XmlElement, rules: DeliveryRules): Confirmed {
  const bearers = ofMethod(subject, confirmationMethods.bearer)
  if (bearers.length === 0) return confirmedByHolder(subject, rules)
  const judged = bearers.map(confirmation => judgeBearer(confirmation, rules))
  const ends = judged.filter(end => typeof end === 'number')
  if (ends.length === 0) throw unacceptable(`its bearer confirmation ${judged[0]}`)
  return { until: Math.max(...ends) }
}

function ofMethod(subject: XmlElement, method: string): readonly XmlElement[] {
  return children(subject, 'SubjectConfirmation').filter(confirmation => confirmation.attributes.get('Method') === method)
}

// SAML Profiles §3.1: the key in the data. Of several holders each would do, and the proof of one would have to be told from that of another.
function confirmedByHolder(subject: XmlElement, rules: DeliveryRules): Confirmed {
  const [holder, ...others] = ofMethod(subject, confirmationMethods.holderOfKey)
  if (holder === undefined) throw unacceptable('it is no bearer assertion, and none of one holder of a key')
  if (others.length > 0) throw unacceptable('it names several holders of a key')
  const data = optionalChild(holder, 'SubjectConfirmationData')
  if (data === undefined || holder.children.length > 1)
    throw unacceptable('its holder-of-key confirmation has no key, or names who may use it')
  const recipient = data.attributes.get('Recipient')
  if (recipient !== undefined && !rules.recipients.has(recipient))
    throw unacceptable('its holder-of-key confirmation is for another Recipient')
  const problem = dataProblem(data, rules)
  if (problem !== undefined) throw unacceptable(`its holder-of-key confirmation ${problem}`)
  return { until: instantOf(data, 'NotOnOrAfter'), confirmation: keyOf(data) }
}

/** The one certificate of the one KeyInfo, as `cnf` names it: who shows its key on the connection is the holder. */
function keyOf(parent: XmlElement): Proof['confirmation'] {
  const certificate = onlyChild(onlyChild(onlyChild(parent, 'KeyInfo'), 'X509Data'), 'X509Certificate')
  const der = certificate?.children.length === 0 ? decodeBase64Binary(certificate.text) : undefined
  if (der === undefined) throw unacceptable('the key of its holder is not exactly one certificate')
  return { 'x5t#S256': hash('sha256', der, 'base64url') }
}

// Beside another one, or text, it would not be said which is meant.
function onlyChild(parent: XmlElement | undefined, name: string): XmlElement | undefined {
  const [child, ...others] = parent?.children ?? []
  return parent !== undefined && others.length === 0 && hasNoText(parent) && isElement(child, namespaces.signature, name)
    ? child
    : undefined
}

/** The end of a bearer confirmation that holds, or what is wrong with it. */
function judgeBearer(confirmation: XmlElement, rules: DeliveryRules): Instant | string {
  // An identifier in the confirmation names the one who may confirm, who is not known here.
  if (confirmation.children.some(({ name }) => name !== 'SubjectConfirmationData')) return 'names who may use it'
  const data = optionalChild(confirmation, 'SubjectConfirmationData')
  if (data === undefined || data.children.length > 0) return 'has no SubjectConfirmationData, or a key in it'
  if (!rules.recipients.has(data.attributes.get('Recipient') ?? '')) return 'has no Recipient, or is for another one'
  return dataProblem(data, rules) ?? instantOf(data, 'NotOnOrAfter') ?? 'has no NotOnOrAfter'
}

function dataProblem(data: XmlElement, { acceptInResponseTo }: DeliveryRules): string | undefined {
  if (data.attributes.has('NotBefore')) return 'has NotBefore, which is not allowed there'
  if (data.attributes.has('InResponseTo') && !acceptInResponseTo) return 'belongs to a request of somebody else (InResponseTo)'
  return undefined
}

/**
 * SAML 1.1 Profiles §4.1: `bearer` must be among the methods of every subject, or every subject has to be the holder of one key. Neither has
 * a recipient or an end of its own (S1-5). Undefined for a bearer.
 */
export function confirmedBy11(subject: XmlElement): Proof['confirmation'] | undefined {
  const confirmation = optionalChild(subject, 'SubjectConfirmation')
  const methods = confirmation === undefined ? [] : children(confirmation, 'ConfirmationMethod').map(({ text }) => text)
  if (methods.includes(confirmationMethods11.bearer)) return undefined
  if (confirmation === undefined || methods.length !== 1 || methods[0] !== confirmationMethods11.holderOfKey)
    throw unacceptable('it is no bearer assertion, and none of one holder of a key')
  return keyOf({ ...confirmation, children: childrenOf(confirmation, namespaces.signature, 'KeyInfo') })
}
