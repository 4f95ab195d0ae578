import { TokenRejected } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import { hasNoText, type XmlElement } from './xml-element.ts'

const dateTime = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?Z$/

/** A time of SAML: `xs:dateTime` in UTC, written with `Z` (SAML Core §1.3.3). Undefined where the attribute is not there. */
export function instantOf(element: XmlElement, attribute: string): Instant | undefined {
  const text = element.attributes.get(attribute)
  if (text === undefined) return undefined
  const found = dateTime.exec(text)
  const seconds = found === null ? Number.NaN : Date.parse(`${text.slice(0, 19)}Z`) / 1000
  // The thirtieth of February is parsed as the second of March, and 24 o'clock as midnight of the next day.
  if (Number.isNaN(seconds) || new Date(seconds * 1000).getUTCDate() !== Number(found?.[3])) {
    throw unacceptable(`${attribute} is not a time in UTC`)
  }
  return seconds + Number(`0${found?.[7] ?? ''}`)
}

/** A time that must be there. */
export function requiredInstant(element: XmlElement, attribute: string): Instant {
  const instant = instantOf(element, attribute)
  if (instant === undefined) throw unacceptable(`${attribute} of its ${element.name} is missing`)
  return instant
}

/** The earliest of these times; undefined where there is none. */
export function earliest(instants: ReadonlyArray<Instant | undefined>): Instant | undefined {
  const known = instants.filter(instant => instant !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** The text of an element that has nothing else. White space around it is refused: one reader would cut it off, another compare it. */
export function textOf(element: XmlElement): string {
  const { text, children, name } = element
  if (children.length > 0 || text === '' || text !== text.trim()) throw unacceptable(`its ${name} is empty or not plain text`)
  return text
}

/** An attribute that must be there and have something in it. */
export function requiredAttribute(element: XmlElement, attribute: string): string {
  const value = element.attributes.get(attribute)
  if (value === undefined || value === '') throw unacceptable(`${attribute} of its ${element.name} is missing`)
  return value
}

/** Checks that an element has only these children of its namespace, in this order, each as often as it likes, and no text (SC-26). */
export function requireSequence(parent: XmlElement, order: readonly string[]): void {
  let place = 0
  for (const { namespace, name } of parent.children) {
    const found = namespace === parent.namespace ? order.indexOf(name) : -1
    if (found < place) throw unacceptable(`its ${parent.name} has an element that is unknown or in the wrong place`)
    place = found
  }
  if (!hasNoText(parent)) throw unacceptable(`its ${parent.name} has text between elements`)
}

/** The child of this name in the parent's own namespace; undefined where there is none. Two are refused. */
export function optionalChild(parent: XmlElement, name: string): XmlElement | undefined {
  const [child, ...others] = parent.children.filter(each => each.name === name && each.namespace === parent.namespace)
  if (others.length > 0) throw unacceptable(`it has more than one ${name}`)
  return child
}

/** The child that must be there. */
export function requiredChild(parent: XmlElement, name: string): XmlElement {
  const child = optionalChild(parent, name)
  if (child === undefined) throw unacceptable(`its ${parent.name} has no ${name}`)
  return child
}

/** All children of this name in the parent's own namespace. */
export function children(parent: XmlElement, name: string): readonly XmlElement[] {
  return parent.children.filter(child => child.name === name && child.namespace === parent.namespace)
}

/** The refusal of an assertion for what it says. */
export function unacceptable(what: string): TokenRejected {
  return new TokenRejected(`the assertion is not acceptable: ${what}`)
}
