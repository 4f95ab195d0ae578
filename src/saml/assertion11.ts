import { isDeepStrictEqual } from 'node:util'
import type { Authentication, Proof } from '../processors/processor.ts'
import { type AssertionRules, expiry, proofOf, requirePast, type VerifiedAssertion } from './assertion.ts'
import { type AttributeValues, addAttribute, shapeAttributes } from './attribute-values.ts'
import { readConditions11 } from './conditions.ts'
import { confirmedBy11 } from './confirmation.ts'
import { children, requiredAttribute, requiredChild, requiredInstant, requireSequence, textOf, unacceptable } from './facts.ts'
import type { XmlElement } from './xml-element.ts'

/** How the attributes of SAML 1.1 are called: by AttributeName alone, or as `AttributeNamespace/AttributeName` (the claim types of WS-Federation). */
export type AttributeNaming = 'name' | 'namespace/name'

/** How an assertion of SAML 1.1 is read. */
export type AssertionRules11 = AssertionRules & { readonly attributeNames: AttributeNaming }

const order = ['Conditions', 'Advice', 'Statement']
const subjectStatements = ['AuthenticationStatement', 'AuthorizationDecisionStatement', 'AttributeStatement']
const statements = [...subjectStatements, 'Statement', 'SubjectStatement']

/** The Issuer, which in SAML 1.1 is an attribute (SAML 1.1 Core §2.3.2, S1-2). */
export function issuerOf11(assertion: XmlElement): string {
  return requiredAttribute(assertion, 'Issuer')
}

/** States what an assertion of SAML 1.1 proves (SAML 1.1 Core §2.3.2, S1-1 to S1-6). Time and audience are judged by the pipeline. */
export function readAssertion11(assertion: VerifiedAssertion, rules: AssertionRules11): Proof {
  requireForm(assertion)
  const conditions = readConditions11(requiredChild(assertion, 'Conditions'))
  if (conditions.notOnOrAfter === undefined) throw unacceptable('it does not say until when it is valid')
  const subjects = subjectsOf(assertion)
  const confirmation = readConfirmation(subjects)
  return {
    ...proofOf({
      issuer: issuerOf11(assertion),
      nameId: readSubject(subjects),
      conditions,
      authentication: readAuthentication(assertion, rules),
      attributes: shapeAttributes(readAttributes(assertion, rules.attributeNames), rules.claims),
    }),
    issuedAt: requiredInstant(assertion, 'IssueInstant'),
    id: requiredAttribute(assertion, 'AssertionID'),
    ...(confirmation !== undefined && { confirmation }),
    ...expiry([conditions.notOnOrAfter]),
  }
}

// SAML 1.0 has the same namespace, and other rules.
function requireForm(assertion: XmlElement): void {
  if (assertion.attributes.get('MajorVersion') !== '1' || assertion.attributes.get('MinorVersion') !== '1') {
    throw unacceptable('its version is not 1.1')
  }
  const places = assertion.children.map(child => ({ ...child, name: statements.includes(child.name) ? 'Statement' : child.name }))
  requireSequence({ ...assertion, children: places }, order)
}

function subjectsOf(assertion: XmlElement): readonly XmlElement[] {
  return assertion.children
    .filter(({ name }) => subjectStatements.includes(name) || name === 'SubjectStatement')
    .map(statement => requiredChild(statement, 'Subject'))
}

// One statement for a bearer beside one for a holder: whoever stole the assertion would be the subject of half of it.
function readConfirmation(subjects: readonly XmlElement[]): Proof['confirmation'] | undefined {
  const [first, ...others] = subjects.map(subject => confirmedBy11(subject))
  if (others.some(other => !isDeepStrictEqual(other, first))) throw unacceptable('its statements are confirmed in different ways')
  return first
}

/** Every statement has a subject of its own. They must all be the same, or one would be proven and another one read (S1-4). */
function readSubject(subjects: readonly XmlElement[]) {
  const [first, ...others] = subjects.map(subject => readNameIdentifier(requiredChild(subject, 'NameIdentifier')))
  if (first === undefined) throw unacceptable('it has no subject')
  if (others.some(other => !isDeepStrictEqual(other, first))) throw unacceptable('its statements are about different subjects')
  return first
}

function readNameIdentifier(identifier: XmlElement) {
  const format = identifier.attributes.get('Format')
  const nameQualifier = identifier.attributes.get('NameQualifier')
  return {
    value: textOf(identifier),
    ...(format !== undefined && { format }),
    ...(nameQualifier !== undefined && { nameQualifier }),
  }
}

/** The first AuthenticationStatement (SAML 1.1 Core §2.4.3). */
function readAuthentication(assertion: XmlElement, { now, clockSkew }: AssertionRules): Authentication | undefined {
  const [statement] = children(assertion, 'AuthenticationStatement')
  if (statement === undefined) return undefined
  const instant = requiredInstant(statement, 'AuthenticationInstant')
  requirePast(instant, now + clockSkew)
  return { instant, contextClass: requiredAttribute(statement, 'AuthenticationMethod') }
}

/** SAML 1.1 Core §2.4.4 (S1-6). Where the name alone counts, two namespaces with one name are refused. */
function readAttributes(assertion: XmlElement, naming: AttributeNaming): ReadonlyMap<string, AttributeValues> {
  const attributes = new Map<string, AttributeValues>()
  for (const statement of children(assertion, 'AttributeStatement')) {
    requireSequence(statement, ['Subject', 'Attribute'])
    for (const attribute of children(statement, 'Attribute')) {
      requireSequence(attribute, ['AttributeValue'])
      const namespace = requiredAttribute(attribute, 'AttributeNamespace')
      const name = requiredAttribute(attribute, 'AttributeName')
      addAttribute(attributes, naming === 'name' ? name : `${namespace}/${name}`, attribute)
    }
  }
  return attributes
}
