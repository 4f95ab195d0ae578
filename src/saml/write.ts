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
  const names = Object.keys(attributes)
  for (const attribute of names.length > 1 ? names.sort(canonically) : names) {
    const value = attributes[attribute]
    if (value !== undefined)
      tag += ` ${requireName(attribute)}="${remarkable.test(value) ? escaped(value, inAttribute, 'a value') : value}"`
  }
  return `${tag}>` as Xml
}

/** The end tag of an element. */
export function closeTag(name: string): Xml {
  return `</${requireName(name)}>` as Xml
}

/** Writes a value as text (Canonical XML 1.0 §2.3). `what` names it where it cannot be written. */
export function text(value: string, what = 'a value'): Xml {
  return (remarkable.test(value) ? escaped(value, inText, what) : value) as Xml
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

// Whatever has to be escaped somewhere, or may be forbidden: most values have nothing of it, and are looked through once.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const remarkable = /[\0-\x1f&<>"\ud800-\udfff\ufffe\uffff]/

// XML 1.0 §2.2. With the u flag a lone surrogate is a character of its own, and is found.
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

const inText = /[&<>\r]/g
// Unescaped white space in an attribute would be read as blanks (XML 1.0 §3.3.3).
const inAttribute = /[&<"\t\n\r]/g

// What was stripped or replaced would be another value than the one that was decided on: `ad\0min` is not `admin`.
function escaped(value: string, characters: RegExp, what: string): string {
  if (forbidden.test(value)) throw new OAuthError('contract-not-met', `${what} has a character that XML cannot hold`)
  return value.replace(characters, character => escapes[character] ?? character)
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
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
