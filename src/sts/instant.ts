import type { Instant } from '../outside.ts'
import type { XmlElement } from '../saml/xml-element.ts'
import { malformed, plainText } from './envelope.ts'

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** The instant that an element holds as an `xs:dateTime` with its offset. */
export function instantIn(element: XmlElement): Instant {
  const text = plainText(element)
  const instant = dateTime.test(text) ? Date.parse(text) / 1000 : Number.NaN
  if (Number.isNaN(instant)) throw malformed(`${element.name} is no time with an offset`)
  return instant
}
