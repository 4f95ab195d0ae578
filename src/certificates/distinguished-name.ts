import { isUtf8 } from 'node:buffer'
import { childrenOf, type DerElement, NotDer, objectIdentifierOf, readOnly, tags } from './der.ts'

/** One attribute of a name: `CN=orders`. */
interface NameAttribute {
  /** Its object identifier. */
  readonly type: string
  readonly value: AttributeValue
}

/** A text, or the DER of what is none, in hexadecimal. */
type AttributeValue = { readonly text: string } | { readonly der: string }

/** A distinguished name (X.501 §9): sets of attributes, the outermost (`C`, `DC`) first, as certificates have them. */
export class DistinguishedName {
  readonly #sets: ReadonlyArray<readonly NameAttribute[]>
  /** Equal for equal names: the same attributes in the same sets in the same order, their values letter by letter. */
  readonly canonical: string

  constructor(sets: ReadonlyArray<readonly NameAttribute[]>) {
    this.#sets = sets
    this.canonical = JSON.stringify(sets.map(set => set.map(({ type, value }) => JSON.stringify([type, value])).sort()))
  }

  /** As RFC 4514 writes it: the innermost first. */
  toString(): string {
    return this.#sets
      .toReversed()
      .map(set => set.map(written).join('+'))
      .join(',')
  }
}

/** What is wrong with a name that somebody wrote. */
export class NameMistake extends Error {}

/** Reads a name of a certificate (RFC 5280 §4.1.2.4). Throws `NotDer`. */
export function nameOf(element: DerElement): DistinguishedName {
  return new DistinguishedName(childrenOf(element).map(set => childrenOf(set).map(attributeOf)))
}

/** Reads a name as RFC 4514 writes it. Throws a `NameMistake` for the administrator. */
export function parseName(text: string): DistinguishedName {
  if (text.startsWith('/')) throw new NameMistake('is written as old OpenSSL does; write it as RFC 4514: "CN=orders,O=Acme,C=CH"')
  if (text.trim() === '') throw new NameMistake('is empty')
  const sets = splitAt(text, ',').map(set => splitAt(set, '+').map(parseAttribute))
  return new DistinguishedName(sets.toReversed())
}

// RFC 4514 §3, RFC 4519, and the names that OpenSSL prints.
const types: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  street: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  title: '2.5.4.12',
  postalCode: '2.5.4.17',
  name: '2.5.4.41',
  GN: '2.5.4.42',
  initials: '2.5.4.43',
  generationQualifier: '2.5.4.44',
  dnQualifier: '2.5.4.46',
  pseudonym: '2.5.4.65',
  organizationIdentifier: '2.5.4.97',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
}
const otherNames: Readonly<Record<string, string>> = { S: 'ST', E: 'emailAddress', givenName: 'GN', surname: 'SN', userId: 'UID' }

const identifiers = new Map([
  ...Object.entries(types).map(([name, type]) => [name.toLowerCase(), type] as const),
  ...Object.entries(otherNames).map(([name, other]) => [name.toLowerCase(), types[other] ?? ''] as const),
])
const names = new Map(Object.entries(types).map(([name, type]) => [type, name]))

function attributeOf(element: DerElement): NameAttribute {
  const [type, value] = childrenOf(element)
  if (type === undefined || value === undefined) throw new NotDer('an attribute has a type and a value')
  return { type: objectIdentifierOf(type), value: attributeValue(value) }
}

/** The text of a string of any of the types that RFC 5280 §4.1.2.4 allows. Which of them it is says nothing. */
function attributeValue({ tag, content }: DerElement): AttributeValue {
  // What is no text stays what it is: two different ones must not read alike.
  if (tag === tags.utf8String && isUtf8(content)) return { text: content.toString('utf8') }
  if (tag === tags.printableString || tag === tags.ia5String || tag === tags.teletexString) return { text: content.toString('latin1') }
  // Halves of characters have no UTF-8, and would all be written alike.
  if (tag === tags.bmpString && content.length % 2 === 0 && !/\p{Surrogate}/u.test(wide(content))) return { text: wide(content) }
  return { der: Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]).toString('hex') }
}

function wide(content: Buffer): string {
  return Buffer.from(content).swap16().toString('utf16le')
}

function lengthOf(length: number): Buffer {
  return length < 0x80 ? Buffer.of(length) : length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff)
}

// RFC 4514 §2.4. A comma within a value is escaped, so that one attribute never reads as two.
function written({ type, value }: NameAttribute): string {
  const name = names.get(type) ?? type
  if ('der' in value) return `${name}=#${value.der}`
  const escaped = value.text
    .replace(/[\\",+<>;=]/g, '\\$&')
    .replace(/^[# ]|(?<=.) $/g, '\\$&')
    .replaceAll('\0', '\\00')
  return `${name}=${escaped}`
}

/** The parts between separators that no backslash stands before. */
function splitAt(text: string, separator: ',' | '+'): string[] {
  const parts: string[] = []
  let part = ''
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') part += text.slice(at, ++at + 1)
    else if (text[at] === separator) {
      parts.push(part)
      part = ''
    } else part += text[at]
  }
  return [...parts, part]
}

function parseAttribute(text: string): NameAttribute {
  const equals = text.indexOf('=')
  if (equals < 0) throw new NameMistake(`has a part without "=": "${text.trim()}"; a comma in a value is written "\\,"`)
  const name = text.slice(0, equals).trim()
  const type = /^\d+(\.\d+)+$/.test(name) ? name : identifiers.get(name.toLowerCase())
  if (type === undefined) throw new NameMistake(`has an attribute "${name}" that is not known here; write its object identifier`)
  return { type, value: parseValue(text.slice(equals + 1)) }
}

function parseValue(text: string): AttributeValue {
  // A blank that is escaped belongs to the value.
  const trimmed = text.replace(/^ +/, '').replace(/(?<!\\) +$/, '')
  if (trimmed.startsWith('"')) throw new NameMistake('has a value in quotes; RFC 4514 escapes single characters: "\\,"')
  if (trimmed.startsWith('#')) return attributeValue(derOf(trimmed.slice(1)))
  if (/(?<!\\)(\\\\)*[;<>"]/.test(trimmed)) throw new NameMistake('has one of ; < > " that no backslash stands before')
  return { text: unescaped(trimmed) }
}

function derOf(hexadecimal: string): DerElement {
  try {
    if (!/^([0-9a-f]{2})+$/i.test(hexadecimal)) throw new NotDer('no hexadecimal')
    return readOnly(Buffer.from(hexadecimal, 'hex'))
  } catch {
    throw new NameMistake('has a value that begins with "#" and is no DER in hexadecimal')
  }
}

// RFC 4514 §2.4: pairs of hexadecimal digits are octets of UTF-8, of which one character may need several.
function unescaped(text: string): string {
  return text.replace(/(\\[0-9a-f]{2})+|\\(.)/gi, (all, pairs: string | undefined, character: string | undefined) =>
    pairs === undefined ? (character ?? '') : Buffer.from(all.replaceAll('\\', ''), 'hex').toString('utf8'),
  )
}
