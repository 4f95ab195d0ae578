import { TokenRejected } from '../oauth/errors.ts'

/** What a document may be made of. */
export interface XmlLimits {
  readonly maxElements: number
  readonly maxAttributes: number
  readonly maxDepth: number
  /** Different names of elements: xmldom searches the whole text for the end of each. */
  readonly maxNames: number
  /** Whether comments are skipped (metadata, which people edit) or refuse the document (tokens). */
  readonly comments: boolean
  /** Whether a prefix may mean one thing here and another one there. Nothing of such a document can be verified where it stands. */
  readonly rebinding?: true
}

/** How much there is in a document; whoever builds a tree from it must come to the same numbers. */
export interface XmlCensus {
  readonly elements: number
  readonly attributes: number
  /** The names of its elements, with their prefixes. */
  readonly names: ReadonlySet<string>
  /** Where each element begins and ends in the text, two numbers for each, in the order in which they end. */
  readonly spans: readonly number[]
}

// Names of SAML and of XML Signature are ASCII, and for ASCII every order and every comparison of names is the same.
const name = '[A-Za-z_][A-Za-z0-9._-]*'
const qualifiedName = `${name}(?::${name})?`
const space = '[ \\t\\n]'
// xmldom's time grows with the square of this.
const mostAttributesOfOne = 64
const notXml = /[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
const declaration =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*["']1\.0["'](?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*["']([A-Za-z0-9._-]+)["'])?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*["'](?:yes|no)["'])?[ \t\n]*\?>/

/** The text of a document as a parser gets it: line ends as XML 1.0 §2.11 has them, without the XML declaration, which may only say UTF-8. */
export function normalizedText(text: string): string {
  const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
  if (!lines.startsWith('<?xml ')) return lines
  const found = declaration.exec(lines)
  if (found === null || (found[1] ?? 'UTF-8').toUpperCase() !== 'UTF-8')
    throw malformed('its XML declaration is not that of XML 1.0 in UTF-8')
  return lines.slice(found[0].length)
}

/**
 * Refuses what is not well-formed (XML 1.0 §2), and what a token has no use for although it is: document types, entities, processing
 * instructions, CDATA and comments. xmldom repairs or misreads much of that; what passes here reads alike everywhere.
 */
export function checkWellFormed(text: string, limits: XmlLimits): XmlCensus {
  if (notXml.test(text)) throw malformed('it has characters that XML does not allow')
  return new Scanner(text, limits).census()
}

/** One pass over the text. Every pattern is anchored where the last one ended, so that the cost is linear in the size. */
class Scanner {
  readonly #startTag = new RegExp(`<(${qualifiedName})`, 'y')
  readonly #attribute = new RegExp(`${space}+(${qualifiedName})${space}*=${space}*(?:"([^"<]*)"|'([^'<]*)')`, 'y')
  readonly #tagEnd = new RegExp(`${space}*(/?)>`, 'y')
  readonly #endTag = new RegExp(`</(${qualifiedName})${space}*>`, 'y')
  readonly #text: string
  readonly #limits: XmlLimits
  readonly #open: string[] = []
  readonly #starts: number[] = []
  readonly #spans: number[] = []
  readonly #names = new Set<string>()
  #at = 0
  #elements = 0
  #attributes = 0

  constructor(text: string, limits: XmlLimits) {
    this.#text = text
    this.#limits = limits
  }

  census(): XmlCensus {
    while (this.#at < this.#text.length) {
      if (this.#text[this.#at] !== '<') this.#characters()
      else if (this.#text[this.#at + 1] === '/') this.#close()
      else if (this.#text.startsWith('<!--', this.#at) && this.#limits.comments) this.#comment()
      else this.#element()
    }
    if (this.#open.length > 0 || this.#elements === 0) throw malformed('an element is not closed, or there is none')
    return { elements: this.#elements, attributes: this.#attributes, names: this.#names, spans: this.#spans }
  }

  #characters(): void {
    const next = this.#text.indexOf('<', this.#at)
    const characters = this.#text.slice(this.#at, next === -1 ? this.#text.length : next)
    if (this.#open.length === 0 && !/^[ \t\n]*$/.test(characters)) throw malformed('there is text outside of its root element')
    if (characters.includes(']]>')) throw malformed('it has a sequence that XML does not allow in text')
    checkReferences(characters)
    this.#at += characters.length
  }

  #element(): void {
    const start = this.#at
    const tag = this.#take(this.#startTag)
    if (tag === null) throw unwanted(this.#text, this.#at)
    if (this.#open.length === 0 && this.#elements > 0) throw malformed('it has more than one root element')
    if (this.#names.add(tag[1] ?? '').size > this.#limits.maxNames || ++this.#elements > this.#limits.maxElements) {
      throw malformed('it has too many elements')
    }
    this.#allAttributes()
    const end = this.#take(this.#tagEnd)
    if (end === null) throw malformed('a tag is malformed')
    if (end[1] === '/') return void this.#spans.push(start, this.#at)
    this.#starts.push(start)
    if (this.#open.push(tag[1] ?? '') > this.#limits.maxDepth) throw malformed('it is nested too deeply')
  }

  #allAttributes(): void {
    const names = new Set<string>()
    for (let found = this.#take(this.#attribute); found !== null; found = this.#take(this.#attribute)) {
      const [, attribute = '', doubleQuoted, singleQuoted] = found
      if (names.has(attribute)) throw malformed('an attribute is there twice')
      if (names.add(attribute).size > mostAttributesOfOne) throw malformed('it has too many attributes')
      checkReferences(doubleQuoted ?? singleQuoted ?? '')
    }
    this.#attributes += names.size
    if (this.#attributes > this.#limits.maxAttributes) throw malformed('it has too many attributes')
  }

  #close(): void {
    const tag = this.#take(this.#endTag)
    if (tag === null || tag[1] !== this.#open.pop()) throw malformed('an end tag does not fit')
    this.#spans.push(this.#starts.pop() ?? 0, this.#at)
  }

  // XML 1.0 §2.5: two hyphens end it.
  #comment(): void {
    const hyphens = this.#text.indexOf('--', this.#at + 4)
    if (hyphens === -1 || this.#text[hyphens + 2] !== '>') throw malformed('a comment is malformed')
    this.#at = hyphens + 3
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at = pattern.lastIndex
    return found
  }
}

const reference = /^&(?:lt|gt|amp|quot|apos|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));/
const longestReference = '&#x10FFFF;'.length

/** XML 1.0 §4.1: every ampersand starts one of the five predefined references, or one to a character that XML allows. */
function checkReferences(text: string): void {
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    const found = reference.exec(text.slice(at, at + longestReference))
    if (found === null) throw malformed('it has a reference to an entity or character that is not allowed')
    const [, decimal, hexadecimal] = found
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '20', 16) : Number(decimal)
    if (code !== 0x0d && (code > 0x10ffff || notXml.test(String.fromCodePoint(code)))) {
      throw malformed('it has a reference to a character that XML does not allow')
    }
  }
}

// What a `<` may start that is no element. The name of what was found helps whoever has to repair the sender.
function unwanted(text: string, at: number): TokenRejected {
  const found = (
    [
      ['<!--', 'a comment'],
      ['<![CDATA[', 'a CDATA section'],
      ['<!DOCTYPE', 'a document type'],
      ['<!ENTITY', 'an entity declaration'],
      ['<?', 'a processing instruction'],
    ] as const
  ).find(([start]) => text.startsWith(start, at))
  return malformed(found === undefined ? 'a tag is malformed' : `it has ${found[1]}, which is not taken`)
}

/** The refusal of a document that is not XML as it is taken here. */
export function malformed(what: string): TokenRejected {
  return new TokenRejected(`the token is not acceptable as XML: ${what}`)
}
