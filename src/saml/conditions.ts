import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'
import type { ProxyRestriction } from '../processors/processor.ts'
import { children, instantOf, optionalChild, requireSequence, textOf, unacceptable } from './facts.ts'
import { namespaces } from './names.ts'
import { isElement, type XmlElement } from './xml-element.ts'

/** What the Conditions of an assertion say. */
export interface Conditions {
  readonly notBefore: Instant | undefined
  readonly notOnOrAfter: Instant | undefined
  /** Each restriction must be met; one of its audiences is enough for that. */
  readonly audiences: ReadonlyArray<readonly string[]>
  readonly oneTimeUse: boolean
  readonly proxyRestriction: ProxyRestriction | undefined
  /** The delegates as `act` has them, the current actor outside (SAML V2.0 Condition for Delegation Restriction). */
  readonly act: JsonObject | undefined
}

/** Reads the Conditions of SAML 2.0 (SAML Core §2.5.1, SC-28 to SC-31). A condition that is not understood makes an assertion worthless. */
export function readConditions(conditions: XmlElement): Conditions {
  const known = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction', 'Condition']
  const stranger = conditions.children.some(({ namespace, name }) => namespace !== namespaces.saml2 || !known.includes(name))
  if (stranger) throw unacceptable('it has a condition that is not understood here')
  return {
    ...readWindow(conditions),
    audiences: children(conditions, 'AudienceRestriction').map(readAudiences),
    oneTimeUse: optionalChild(conditions, 'OneTimeUse') !== undefined,
    proxyRestriction: readProxyRestriction(optionalChild(conditions, 'ProxyRestriction')),
    act: readDelegation(optionalChild(conditions, 'Condition')),
  }
}

/** Reads the Conditions of SAML 1.1 (SAML 1.1 Core §2.3.2). DoNotCacheCondition became OneTimeUse in SAML 2.0. */
export function readConditions11(conditions: XmlElement): Conditions {
  const known = ['AudienceRestrictionCondition', 'DoNotCacheCondition']
  const stranger = conditions.children.some(({ namespace, name }) => namespace !== namespaces.saml11 || !known.includes(name))
  if (stranger) throw unacceptable('it has a condition that is not understood here')
  return {
    ...readWindow(conditions),
    audiences: children(conditions, 'AudienceRestrictionCondition').map(readAudiences),
    oneTimeUse: children(conditions, 'DoNotCacheCondition').length > 0,
    proxyRestriction: undefined,
    act: undefined,
  }
}

/** The first restriction is the audience of the proof; the pipeline demands the further ones as well. */
export function audiencesOf({ audiences: [audiences = [], ...furtherAudiences] }: Conditions) {
  return furtherAudiences.length === 0 ? { audiences } : { audiences, furtherAudiences }
}

function readWindow(conditions: XmlElement): Pick<Conditions, 'notBefore' | 'notOnOrAfter'> {
  const notBefore = instantOf(conditions, 'NotBefore')
  const notOnOrAfter = instantOf(conditions, 'NotOnOrAfter')
  if (notBefore !== undefined && notOnOrAfter !== undefined && notBefore >= notOnOrAfter) throw unacceptable('it is never valid')
  return { notBefore, notOnOrAfter }
}

function readAudiences(restriction: XmlElement): readonly string[] {
  requireSequence(restriction, ['Audience'])
  if (restriction.children.length === 0) throw unacceptable('an audience restriction names nobody')
  return restriction.children.map(textOf)
}

function readProxyRestriction(restriction: XmlElement | undefined): ProxyRestriction | undefined {
  if (restriction === undefined) return undefined
  requireSequence(restriction, ['Audience'])
  const audiences = restriction.children.map(textOf)
  const count = restriction.attributes.get('Count')
  if (count === undefined) return { audiences }
  if (!/^[0-9]{1,9}$/.test(count)) throw unacceptable('Count of its ProxyRestriction is not a number')
  return { count: Number(count), audiences }
}

/**
 * Its type stands in the value of `xsi:type`, whose prefix canonicalisation may have dropped, so that the delegates themselves, of which
 * it has one or more and nothing else, say by their namespace what it is. They stand in the order of the delegations.
 */
function readDelegation(condition: XmlElement | undefined): JsonObject | undefined {
  if (condition === undefined) return undefined
  const type = condition.attributes.get(`{${namespaces.schemaInstance}}type`) ?? ''
  const delegates = condition.children.every(child => isElement(child, namespaces.delegation, 'Delegate'))
  if (!/^(?:.*:)?DelegationRestrictionType$/.test(type) || !delegates || condition.children.length === 0) {
    throw unacceptable('it has a condition that is not understood here')
  }
  return condition.children.map(readDelegate).reduce((act, actor) => ({ ...actor, ...(Object.keys(act).length > 0 && { act }) }), {})
}

function readDelegate(delegate: XmlElement): JsonObject {
  const [name, ...others] = delegate.children
  if (!isElement(name, namespaces.saml2, 'NameID') || others.length > 0) throw unacceptable('a delegate has no plain NameID')
  const issuer = name.attributes.get('NameQualifier')
  return { ...(issuer !== undefined && { iss: issuer }), sub: textOf(name) }
}
