import type { Branded } from '../branded.ts'
import { malformed } from './well-formed.ts'
import { noAttributes, withOneMore, type XmlElement } from './xml-element.ts'
import { findName, type NamePlace } from './xml-name.ts'

/** The canonical form of an element, digested, with the digest that somebody whom we trust has signed. Only `verify.ts` makes one. */
export type SignedText = Branded<string, 'digest verified'>

const blank = 0x20
const slash = 0x2f
const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
// Canonical XML §2.3: what stands for itself, and what is written instead of the rest.
const notInText = /[>\r]/
const notInValue = /[<\t\n\r]/
const textReferences: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&#xD;': '\r' }
const valueReferences: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&quot;': '"',
  '&#x9;': '\t',
  '&#xA;': '\n',
  '&#xD;': '\r',
}

/** The namespaces that are in scope, by prefix; the default one has none. */
type Scope = ReadonlyMap<string, string>

/**
 * Reads what was signed (SC-20) out of exactly the text that was digested. There is one way to write an element canonically (Canonical XML
 * §2.3), so that this knows no other: no declaration, no entity, no CDATA, no empty-element tag. Whatever else it meets, it refuses.
 */
export function readSigned(text: SignedText): XmlElement {
  return new CanonicalReader(text).root()
}

class CanonicalReader {
  readonly #text: string
  readonly #place: NamePlace = { colon: -1, end: 0 }
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  root(): XmlElement {
    const root = this.#element(new Map([['xml', xmlNamespace]]))
    if (this.#at !== this.#text.length) throw notCanonical()
    return root
  }

  #element(outer: Scope): XmlElement {
    this.#skip('<')
    const tag = this.#takeName()
    const { scope, attributes } = this.#attributes(outer)
    this.#skip('>')
    let children: readonly XmlElement[] = []
    let text = this.#characters()
    while (this.#text.charCodeAt(this.#at + 1) !== slash) {
      children = withOneMore(children, this.#element(scope))
      text += this.#characters()
    }
    this.#skip('</')
    this.#skip(tag.whole)
    this.#skip('>')
    return { namespace: resolve(scope, tag.prefix), name: tag.local, attributes, children, text }
  }

  /** Declarations first, then attributes. */
  #attributes(outer: Scope): { scope: Scope; attributes: ReadonlyMap<string, string> } {
    let scope = outer
    let attributes: Map<string, string> | undefined
    let isBehind = false
    let lastNamespace = ''
    let last: string | undefined
    while (this.#text.charCodeAt(this.#at) === blank) {
      this.#at++
      const { whole, prefix, local } = this.#takeName()
      const value = this.#value()
      if (prefix === 'xmlns' || whole === 'xmlns') {
        const declared = prefix === '' ? '' : local
        // A prefix that starts so means what it always means; no namespace at all is meant nowhere here.
        if (isBehind || (last !== undefined && last >= declared) || /^xml/i.test(declared) || value === '') throw notCanonical()
        last = declared
        scope = new Map(scope).set(declared, value)
      } else {
        const namespace = prefix === '' ? '' : resolve(scope, prefix)
        // Canonical XML §2.2: declarations by prefix, attributes by namespace and name. So nothing can be there twice.
        if (isBehind && (namespace < lastNamespace || (namespace === lastNamespace && local <= (last ?? '')))) throw notCanonical()
        isBehind = true
        lastNamespace = namespace
        last = local
        attributes ??= new Map()
        attributes.set(prefix === '' ? local : `{${namespace}}${local}`, value)
      }
    }
    return { scope, attributes: attributes ?? noAttributes }
  }

  #takeName(): { whole: string; prefix: string; local: string } {
    const start = this.#at
    if (!findName(this.#text, start, this.#place)) throw notCanonical()
    const { colon, end } = this.#place
    this.#at = end
    const whole = this.#text.slice(start, end)
    if (colon === -1) return { whole, prefix: '', local: whole }
    return { whole, prefix: this.#text.slice(start, colon), local: this.#text.slice(colon + 1, end) }
  }

  #value(): string {
    this.#skip('="')
    const end = this.#text.indexOf('"', this.#at)
    if (end === -1) throw notCanonical()
    const value = this.#text.slice(this.#at, end)
    this.#at = end + 1
    if (notInValue.test(value)) throw notCanonical()
    return dereferenced(value, valueReferences)
  }

  #characters(): string {
    const end = this.#text.indexOf('<', this.#at)
    if (end === this.#at) return ''
    if (end === -1) throw notCanonical()
    const characters = this.#text.slice(this.#at, end)
    this.#at = end
    if (notInText.test(characters)) throw notCanonical()
    return dereferenced(characters, textReferences)
  }

  #skip(expected: string): void {
    if (!this.#text.startsWith(expected, this.#at)) throw notCanonical()
    this.#at += expected.length
  }
}

/** Without a namespace nothing is meant here. */
function resolve(scope: Scope, prefix: string): string {
  return scope.get(prefix) ?? fail()
}

function dereferenced(text: string, references: Readonly<Record<string, string>>): string {
  if (!text.includes('&')) return text
  return text.replace(/&[^;&]*;?/g, reference => (Object.hasOwn(references, reference) ? references[reference] : undefined) ?? fail())
}

function fail(): never {
  throw notCanonical()
}

function notCanonical() {
  return malformed('its canonical form is not canonical')
}
