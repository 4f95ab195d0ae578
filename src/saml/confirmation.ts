import type { Instant } from '../outside.ts'
import { children, instantOf, optionalChild, unacceptable } from './facts.ts'
import { confirmationMethods, confirmationMethods11 } from './names.ts'
import type { XmlElement } from './xml-element.ts'

/** Where an assertion may have been sent by the one who made it. */
export interface DeliveryRules {
  /** Values of Recipient (and of a Response's Destination) that are taken. */
  readonly recipients: ReadonlySet<string>
  /** Whether an answer to a request that somebody else made (`InResponseTo`: browser single sign-on) is taken. */
  readonly acceptInResponseTo: boolean
}

/**
 * Until when the bearer of an assertion is its subject (SAML Profiles §3.3, RFC 7522 §3 item 5, SC-33): the latest of the
 * confirmations that hold. Others than bearer never do: nobody here has vouched for, or shown a key of, whoever sends the token.
 */
export function confirmedUntil(subject: XmlElement, rules: DeliveryRules): Instant {
  const confirmations = children(subject, 'SubjectConfirmation')
  const bearers = confirmations.filter(confirmation => confirmation.attributes.get('Method') === confirmationMethods.bearer)
  if (bearers.length === 0) throw unacceptable('it is no bearer assertion')
  const judged = bearers.map(confirmation => judge(confirmation, rules))
  const ends = judged.filter(end => typeof end === 'number')
  if (ends.length === 0) throw unacceptable(`its bearer confirmation ${judged[0]}`)
  return Math.max(...ends)
}

/** The end of a confirmation that holds, or what is wrong with it. */
function judge(confirmation: XmlElement, { recipients, acceptInResponseTo }: DeliveryRules): Instant | string {
  // An identifier in the confirmation names the one who may confirm, who is not known here.
  if (confirmation.children.some(({ name }) => name !== 'SubjectConfirmationData')) return 'names who may use it'
  const data = optionalChild(confirmation, 'SubjectConfirmationData')
  if (data === undefined || data.children.length > 0) return 'has no SubjectConfirmationData, or a key in it'
  if (!recipients.has(data.attributes.get('Recipient') ?? '')) return 'has no Recipient, or is for another one'
  if (data.attributes.has('NotBefore')) return 'has NotBefore, which is not allowed there'
  if (data.attributes.has('InResponseTo') && !acceptInResponseTo) return 'belongs to a request of somebody else (InResponseTo)'
  return instantOf(data, 'NotOnOrAfter') ?? 'has no NotOnOrAfter'
}

/** SAML 1.1 Profiles §4.1: `bearer` must be among the methods of every subject. It has no recipient and no end of its own (S1-5). */
export function requireBearer11(subject: XmlElement): void {
  const confirmation = optionalChild(subject, 'SubjectConfirmation')
  const methods = confirmation === undefined ? [] : children(confirmation, 'ConfirmationMethod')
  if (!methods.some(({ text }) => text === confirmationMethods11.bearer)) throw unacceptable('it is no bearer assertion')
}
