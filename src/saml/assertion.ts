import type { Branded } from '../branded.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'
import type { Authentication, Proof } from '../processors/processor.ts'
import { type AttributeValues, addAttribute, shapeAttributes } from './attribute-values.ts'
import { audiencesOf, type Conditions, readConditions } from './conditions.ts'
import { confirmedBy, type DeliveryRules } from './confirmation.ts'
import {
  children,
  earliest,
  instantOf,
  optionalChild,
  requiredAttribute,
  requiredChild,
  requiredInstant,
  requireSequence,
  textOf,
  unacceptable,
} from './facts.ts'
import { entityFormat } from './names.ts'
import type { XmlElement } from './xml-element.ts'

/** An Assertion out of signed bytes, whose Issuer is the one whose key signed them (SC-20, SC-23). Only `open.ts` makes one. */
export type VerifiedAssertion = Branded<XmlElement, 'signed by its issuer'>

/** How an assertion is read. */
export interface AssertionRules extends DeliveryRules {
  readonly now: Instant
  readonly clockSkew: number
  /** The JSON Schema of the attributes. */
  readonly claims: JsonObject | undefined
}

const order = ['Issuer', 'Subject', 'Conditions', 'Advice', 'Statement']
const statements = ['Statement', 'AuthnStatement', 'AuthzDecisionStatement', 'AttributeStatement']

/** The text of the Issuer (SAML Core §2.2.5, SC-27): a plain entity id. */
export function issuerOf(assertion: XmlElement): string {
  const issuer = requiredChild(assertion, 'Issuer')
  const format = issuer.attributes.get('Format') ?? entityFormat
  const qualifiers = ['NameQualifier', 'SPNameQualifier', 'SPProvidedID']
  if (format !== entityFormat || qualifiers.some(qualifier => issuer.attributes.has(qualifier))) {
    throw unacceptable('its Issuer is not an entity id')
  }
  return textOf(issuer)
}

/** States what an assertion of SAML 2.0 proves (SAML Core §2.3.3, SC-25 to SC-39). Time and audience are judged by the pipeline. */
export function readAssertion(assertion: VerifiedAssertion, rules: AssertionRules): Proof {
  requireForm(assertion)
  const issuer = issuerOf(assertion)
  const subject = requiredChild(assertion, 'Subject')
  requireSequence(subject, ['NameID', 'SubjectConfirmation'])
  const nameId = readNameId(requiredChild(subject, 'NameID'))
  const conditions = readConditions(requiredChild(assertion, 'Conditions'))
  const authentication = readAuthentication(assertion, rules)
  const attributes = shapeAttributes(readAttributes(assertion), rules.claims)
  const { until, confirmation } = confirmedBy(subject, rules)
  return {
    ...proofOf({ issuer, nameId, conditions, authentication, attributes }),
    issuedAt: requiredInstant(assertion, 'IssueInstant'),
    id: requiredAttribute(assertion, 'ID'),
    ...(confirmation !== undefined && { confirmation }),
    ...expiry([conditions.notOnOrAfter, until, ...sessionEnds(assertion)]),
  }
}

/** The parts of which a proof is made in both versions. */
export interface AssertionFacts {
  readonly issuer: string
  readonly nameId: JsonObject & { readonly value: string }
  readonly conditions: Conditions
  readonly authentication: Authentication | undefined
  readonly attributes: JsonObject
}

/** The proof, with what expressions read in the shape of `configuration.md`: no attribute can pose as a proven fact. */
export function proofOf({ issuer, nameId, conditions, authentication, attributes }: AssertionFacts): Proof {
  const { notBefore, oneTimeUse, proxyRestriction, act } = conditions
  const { instant, contextClass, sessionIndex } = authentication ?? {}
  return {
    issuer,
    subject: nameId.value,
    ...qualifierOf(nameId),
    ...audiencesOf(conditions),
    ...(notBefore !== undefined && { notBefore }),
    ...(oneTimeUse && { oneTimeUse }),
    ...(proxyRestriction !== undefined && { proxyRestriction }),
    ...(act !== undefined && { act }),
    ...(authentication !== undefined && { authentication }),
    attributes: {
      issuer,
      nameId,
      ...(instant !== undefined && { authnInstant: instant }),
      ...(contextClass !== undefined && { authnContext: contextClass }),
      ...(sessionIndex !== undefined && { sessionIndex }),
      attributes,
    },
  }
}

/**
 * The earliest end of all that bounds an assertion. The end of the session is one of them: what is issued from an assertion must not
 * outlive the session that it tells of (SC-37). RFC 7522 §3 item 4: there must be one.
 */
export function expiry(ends: ReadonlyArray<Instant | undefined>): Pick<Proof, 'expiresAt'> {
  const expiresAt = earliest(ends)
  if (expiresAt === undefined) throw unacceptable('it does not say until when it is valid')
  return { expiresAt }
}

function requireForm(assertion: XmlElement): void {
  if (assertion.attributes.get('Version') !== '2.0') throw unacceptable('its version is not 2.0')
  const places = assertion.children.map(child => ({ ...child, name: statements.includes(child.name) ? 'Statement' : child.name }))
  requireSequence({ ...assertion, children: places }, order)
}

// SAML Core §2.2.2: a name is unique within its qualifiers only.
function qualifierOf({ nameQualifier, spNameQualifier }: AssertionFacts['nameId']): Pick<Proof, 'subjectQualifier'> {
  if (nameQualifier === undefined && spNameQualifier === undefined) return {}
  return { subjectQualifier: JSON.stringify([nameQualifier ?? '', spNameQualifier ?? '']) }
}

/** SAML Core §2.2.3. A BaseID has no text that a policy could be about. */
function readNameId(nameId: XmlElement): AssertionFacts['nameId'] {
  const { attributes } = nameId
  const named = [
    ['format', 'Format'],
    ['nameQualifier', 'NameQualifier'],
    ['spNameQualifier', 'SPNameQualifier'],
  ] as const
  const present = named.map(([name, attribute]) => [name, attributes.get(attribute)] as const).filter(([, value]) => value !== undefined)
  return { value: textOf(nameId), ...Object.fromEntries(present) }
}

/** The first AuthnStatement (SAML Core §2.7.2). */
function readAuthentication(assertion: XmlElement, { now, clockSkew }: AssertionRules): Authentication | undefined {
  const [statement] = children(assertion, 'AuthnStatement')
  if (statement === undefined) return undefined
  const instant = requiredInstant(statement, 'AuthnInstant')
  requirePast(instant, now + clockSkew)
  const contextClass = optionalChild(requiredChild(statement, 'AuthnContext'), 'AuthnContextClassRef')
  const sessionIndex = statement.attributes.get('SessionIndex')
  return {
    instant,
    ...(contextClass !== undefined && { contextClass: textOf(contextClass) }),
    ...(sessionIndex !== undefined && { sessionIndex }),
  }
}

/** Nobody has authenticated in the future. */
export function requirePast(authenticated: Instant, now: Instant): void {
  if (authenticated > now) throw unacceptable('its subject authenticated in the future')
}

function sessionEnds(assertion: XmlElement): ReadonlyArray<Instant | undefined> {
  return children(assertion, 'AuthnStatement').map(statement => instantOf(statement, 'SessionNotOnOrAfter'))
}

/** SAML Core §2.7.3. FriendlyName is not looked at: its meaning is for people. */
function readAttributes(assertion: XmlElement): ReadonlyMap<string, AttributeValues> {
  const attributes = new Map<string, AttributeValues>()
  for (const statement of children(assertion, 'AttributeStatement')) {
    requireSequence(statement, ['Attribute'])
    for (const attribute of statement.children) {
      requireSequence(attribute, ['AttributeValue'])
      addAttribute(attributes, requiredAttribute(attribute, 'Name'), attribute)
    }
  }
  return attributes
}
