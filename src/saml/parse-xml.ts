import type { AttributeNode } from './nodes.ts'
import { type Tree, TreeBuilder, type WrittenName } from './tree.ts'
import { checkCharacters, malformed, resolved, unwanted, type XmlLimits } from './well-formed.ts'
import { findName, type NamePlace } from './xml-name.ts'

const lineFeed = 0x0a
const tabulator = 0x09
const blank = 0x20
const doubleQuote = 0x22
const singleQuote = 0x27
const slash = 0x2f
const lessThan = 0x3c
const equals = 0x3d
const greaterThan = 0x3e
// Each is compared with those in front of it.
const mostAttributesOfOne = 64

/**
 * Parses a document (XML 1.0 §2, without §2.8), and refuses what a token has no use for although it is well-formed: document types, entities,
 * processing instructions, CDATA and comments. Names are ASCII; nothing is repaired, and nothing is left open to the reader.
 */
export function parseXml(text: string, limits: XmlLimits): Tree {
  checkCharacters(text)
  return new Parser(text, limits).parse()
}

/** One pass over the text, from one tag to the next; each character is looked at a fixed number of times. */
class Parser {
  readonly #text: string
  readonly #limits: XmlLimits
  readonly #builder: TreeBuilder
  /** The names of the elements whose end has not come yet. */
  readonly #open: string[] = []
  readonly #place: NamePlace = { colon: -1, end: 0 }
  #at = 0
  #elements = 0
  #attributes = 0

  constructor(text: string, limits: XmlLimits) {
    this.#text = text
    this.#limits = limits
    this.#builder = new TreeBuilder(limits)
  }

  parse(): Tree {
    const text = this.#text
    while (this.#at < text.length) {
      if (text.charCodeAt(this.#at) !== lessThan) this.#characters()
      else if (text.charCodeAt(this.#at + 1) === slash) this.#close()
      else if (this.#limits.comments && text.startsWith('<!--', this.#at)) this.#comment()
      else this.#element()
    }
    if (this.#open.length > 0 || this.#elements === 0) throw malformed('an element is not closed, or there is none')
    return this.#builder.tree()
  }

  #characters(): void {
    const next = this.#text.indexOf('<', this.#at)
    const characters = this.#text.slice(this.#at, next === -1 ? this.#text.length : next)
    this.#at += characters.length
    if (characters.includes(']]>')) throw malformed('it has a sequence that XML does not allow in text')
    if (this.#open.length > 0) this.#builder.text(resolved(characters))
    else if (!/^[ \t\n]*$/.test(characters)) throw malformed('there is text outside of its root element')
  }

  #element(): void {
    const start = this.#at++
    if (!findName(this.#text, this.#at, this.#place)) throw unwanted(this.#text, start)
    const tag = this.#takeName()
    if (this.#open.length === 0 && this.#elements > 0) throw malformed('it has more than one root element')
    if (++this.#elements > this.#limits.maxElements) throw malformed('it has too many elements')
    this.#builder.open(tag, this.#allAttributes(), start)
    const isEmpty = this.#text.charCodeAt(this.#at) === slash
    if (isEmpty) this.#at++
    this.#skip(greaterThan)
    if (isEmpty) this.#builder.close(this.#at)
    else if (this.#open.push(tag.name) > this.#limits.maxDepth) throw malformed('it is nested too deeply')
  }

  /** All attributes of a tag, and the white space behind them. */
  #allAttributes(): AttributeNode[] {
    const attributes: AttributeNode[] = []
    while (this.#skipSpace()) {
      if (!findName(this.#text, this.#at, this.#place)) break
      const { name, prefix, localName } = this.#takeName()
      if (attributes.some(other => other.name === name)) throw malformed('an attribute is there twice')
      attributes.push({ name, prefix, localName, namespaceURI: null, value: this.#value() })
      if (attributes.length > mostAttributesOfOne) throw malformed('it has too many attributes')
    }
    this.#attributes += attributes.length
    if (this.#attributes > this.#limits.maxAttributes) throw malformed('it has too many attributes')
    return attributes
  }

  #value(): string {
    this.#skipSpace()
    this.#skip(equals)
    this.#skipSpace()
    const quote = this.#text.charCodeAt(this.#at)
    if (quote !== doubleQuote && quote !== singleQuote) throw malformedTag()
    const end = this.#text.indexOf(quote === doubleQuote ? '"' : "'", this.#at + 1)
    const value = this.#text.slice(this.#at + 1, end)
    if (end === -1 || value.includes('<')) throw malformedTag()
    this.#at = end + 1
    // XML 1.0 §3.3.3: before references are resolved, which may stand for just these.
    return resolved(/[\t\n]/.test(value) ? value.replace(/[\t\n]/g, ' ') : value)
  }

  #close(): void {
    const name = this.#open.pop()
    if (name === undefined || !this.#text.startsWith(name, this.#at + 2)) throw malformedEnd()
    this.#at += name.length + 2
    this.#skipSpace()
    if (this.#text.charCodeAt(this.#at) !== greaterThan) throw malformedEnd()
    this.#builder.close(++this.#at)
  }

  // XML 1.0 §2.5: two hyphens end it.
  #comment(): void {
    const hyphens = this.#text.indexOf('--', this.#at + 4)
    if (hyphens === -1 || this.#text[hyphens + 2] !== '>') throw malformed('a comment is malformed')
    this.#at = hyphens + 3
  }

  /** The name that was just found. */
  #takeName(): WrittenName {
    const start = this.#at
    const { colon, end } = this.#place
    this.#at = end
    const name = this.#text.slice(start, end)
    if (colon === -1) return { name, prefix: null, localName: name }
    return { name, prefix: this.#text.slice(start, colon), localName: this.#text.slice(colon + 1, end) }
  }

  #skipSpace(): boolean {
    const start = this.#at
    for (let code = this.#text.charCodeAt(start); code === blank || code === lineFeed || code === tabulator; ) {
      code = this.#text.charCodeAt(++this.#at)
    }
    return this.#at > start
  }

  #skip(expected: number): void {
    if (this.#text.charCodeAt(this.#at) !== expected) throw malformedTag()
    this.#at++
  }
}

function malformedTag() {
  return malformed('a tag is malformed')
}

function malformedEnd() {
  return malformed('an end tag does not fit')
}
