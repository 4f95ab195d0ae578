import type { Branded } from '../branded.ts'
import { malformed } from './well-formed.ts'
import type { XmlElement } from './xml-element.ts'

/** The canonical form of an element, digested, with the digest that somebody whom we trust has signed. Only `verify.ts` makes one. */
export type SignedText = Branded<string, 'digest verified'>

const name = '[A-Za-z_][A-Za-z0-9._-]*'
const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
// Canonical XML §2.3: what stands for itself, and what is written instead of the rest.
const notInText = /[>\r]/
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
  readonly #name = new RegExp(`<((?:${name}:)?)(${name})`, 'y')
  readonly #attribute = new RegExp(` ((?:${name}:)?)(${name})="([^"<\\t\\n\\r]*)"`, 'y')
  readonly #text: string
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
    const [tag, prefix = '', name = ''] = this.#take(this.#name) ?? fail()
    const { scope, attributes } = this.#attributes(outer)
    this.#skip('>')
    const children: XmlElement[] = []
    let text = this.#characters()
    while (this.#text[this.#at + 1] !== '/') {
      children.push(this.#element(scope))
      text += this.#characters()
    }
    this.#skip(`</${tag.slice(1)}>`)
    return { namespace: resolve(scope, prefix), name, attributes, children, text }
  }

  #attributes(outer: Scope): { scope: Scope; attributes: ReadonlyMap<string, string> } {
    let scope = outer
    let match = this.#take(this.#attribute)
    for (let last: string | undefined; match !== null && isDeclaration(match); match = this.#take(this.#attribute)) {
      const prefix = match[1] === '' ? '' : (match[2] ?? '')
      requireOrder(last, prefix)
      last = prefix
      // A prefix that starts so means what it always means; no namespace at all is meant nowhere here.
      if (/^xml/i.test(prefix) || match[3] === '') throw notCanonical()
      scope = new Map([...scope, [prefix, dereferenced(match[3] ?? '', valueReferences)]])
    }
    const attributes = new Map<string, string>()
    for (let last: string | undefined; match !== null; match = this.#take(this.#attribute)) {
      if (isDeclaration(match)) throw notCanonical()
      const [, prefix = '', name = '', value = ''] = match
      const namespace = prefix === '' ? '' : resolve(scope, prefix)
      requireOrder(last, `${namespace}\0${name}`)
      last = `${namespace}\0${name}`
      attributes.set(prefix === '' ? name : `{${namespace}}${name}`, dereferenced(value, valueReferences))
    }
    return { scope, attributes }
  }

  #characters(): string {
    const end = this.#text.indexOf('<', this.#at)
    if (end === -1) throw notCanonical()
    const characters = this.#text.slice(this.#at, end)
    this.#at = end
    if (notInText.test(characters)) throw notCanonical()
    return dereferenced(characters, textReferences)
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at = pattern.lastIndex
    return found
  }

  #skip(expected: string): void {
    if (!this.#text.startsWith(expected, this.#at)) throw notCanonical()
    this.#at += expected.length
  }
}

function isDeclaration([, prefix, name]: RegExpExecArray): boolean {
  return prefix === 'xmlns:' || (prefix === '' && name === 'xmlns')
}

// Canonical XML §2.2: declarations by prefix, attributes by namespace and name. So nothing can be there twice.
function requireOrder(last: string | undefined, next: string): void {
  if (last !== undefined && last >= next) throw notCanonical()
}

/** `prefix` with its colon. Without a namespace nothing is meant here. */
function resolve(scope: Scope, prefix: string): string {
  return scope.get(prefix.slice(0, -1)) ?? fail()
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
