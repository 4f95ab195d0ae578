import type { Branded } from '../branded.ts'
import { OAuthError } from '../oauth/errors.ts'

/** XML that was written here, in the one form that exclusive canonicalisation gives it: it can be digested as it stands. */
export type Xml = Branded<string, 'canonical'>

/** The attributes and namespace declarations of an element; undefined leaves one out. */
export type XmlAttributes = Readonly<Record<string, string | undefined>>

/**
 * Writes an element in canonical form (Canonical XML 1.0 §2.3): sorted attributes, a start and an end tag also where nothing is
 * inside. Whoever writes declares each prefix on the element that first uses it, and nowhere else.
 */
export function element(name: string, attributes: XmlAttributes, ...content: readonly Xml[]): Xml {
  return `${openTag(name, attributes)}${content.join('')}${closeTag(name)}` as Xml
}

/** The start tag of an element, for one that is written in two halves. */
export function openTag(name: string, attributes: XmlAttributes): Xml {
  let tag = `<${requireName(name)}`
  for (const attribute of Object.keys(attributes).sort(canonically)) {
    const value = attributes[attribute]
    if (value !== undefined) tag += ` ${requireName(attribute)}="${escapeAttribute(value)}"`
  }
  return `${tag}>` as Xml
}

/** The end tag of an element. */
export function closeTag(name: string): Xml {
  return `</${requireName(name)}>` as Xml
}

/** Writes a value as text (Canonical XML 1.0 §2.3). `what` names it where it cannot be written. */
export function text(value: string, what = 'a value'): Xml {
  requireCharacters(value, what)
  return (needsEscape.test(value) ? value.replace(inText, character => escapes[character] ?? character) : value) as Xml
}

/** Several pieces, one behind the other. */
export function join(...pieces: ReadonlyArray<Xml | undefined>): Xml {
  return pieces.join('') as Xml
}

// A prefixed and an unprefixed name at most; names are ours, so that a mistake shows in the first test.
const qualifiedName = /^[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?$/

function requireName(name: string): string {
  if (!qualifiedName.test(name)) throw new Error(`"${name}" cannot be the name of an element or attribute`)
  return name
}

// XML 1.0 §2.2. With the u flag a lone surrogate is a character of its own, and is found.
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

// What was stripped or replaced would be another value than the one that was decided on: `ad\0min` is not `admin`.
function requireCharacters(value: string, what: string): void {
  if (forbidden.test(value)) throw new OAuthError('contract-not-met', `${what} has a character that XML cannot hold`)
}

const needsEscape = /[&<>\r]/
const inText = /[&<>\r]/g
const inAttribute = /[&<"\t\n\r]/g
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}

// Unescaped white space in an attribute would be read as blanks (XML 1.0 §3.3.3).
function escapeAttribute(value: string): string {
  requireCharacters(value, 'a value')
  return value.replace(inAttribute, character => escapes[character] ?? character)
}

// Canonical XML 1.0 §2.2: namespaces by prefix, then attributes by the URI of their namespace, of which no prefix is the least. We
// never write two prefixes among the attributes of one element.
function canonically(one: string, other: string): number {
  return rank(one) - rank(other) || (one < other ? -1 : 1)
}

function rank(name: string): number {
  if (name.startsWith('xmlns:')) return 0
  return name.includes(':') ? 2 : 1
}
