import { TokenRejected } from '../oauth/errors.ts'

/** What a document may be made of. */
export interface XmlLimits {
  readonly maxElements: number
  readonly maxAttributes: number
  readonly maxDepth: number
  /** Whether comments are skipped (metadata, which people edit) or refuse the document (tokens). */
  readonly comments: boolean
  /** Whether a prefix may mean one thing here and another one there. Nothing of such a document can be verified where it stands. */
  readonly rebinding?: true
}

const notXml = /[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
const declaration =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(["'])1\.0\1(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])([A-Za-z0-9._-]+)\2)?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(?:yes|no)\4)?[ \t\n]*\?>/

/** The text of a document as a parser gets it: line ends as XML 1.0 §2.11 has them, without the XML declaration, which may only say UTF-8. */
export function normalizedText(text: string): string {
  const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
  if (!lines.startsWith('<?xml ')) return lines
  const found = declaration.exec(lines)
  if (found === null || (found[3] ?? 'UTF-8').toUpperCase() !== 'UTF-8')
    throw malformed('its XML declaration is not that of XML 1.0 in UTF-8')
  return lines.slice(found[0].length)
}

/** XML 1.0 §2.2. Most documents are ASCII, and are looked through once. */
export function checkCharacters(text: string): void {
  if (/[^\t\n -~]/.test(text) && notXml.test(text)) throw malformed('it has characters that XML does not allow')
}

const reference = /^&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));/
const longestReference = '&#x10FFFF;'.length

const predefined: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** The text with its references resolved (XML 1.0 §4.1): the five predefined ones, and those to a character that XML allows. No others. */
export function resolved(text: string): string {
  let at = text.indexOf('&')
  if (at === -1) return text
  let result = ''
  let start = 0
  for (; at !== -1; at = text.indexOf('&', start)) {
    const found = reference.exec(text.slice(at, at + longestReference))
    if (found === null) throw malformed('it has a reference to an entity or character that is not allowed')
    result += text.slice(start, at) + characterOf(found)
    start = at + found[0].length
  }
  return result + text.slice(start)
}

function characterOf([, name, decimal, hexadecimal]: RegExpExecArray): string {
  if (name !== undefined) return predefined[name] ?? ''
  const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal)
  const character = code > 0x10ffff ? '\0' : String.fromCodePoint(code)
  if (code !== 0x0d && notXml.test(character)) throw malformed('it has a reference to a character that XML does not allow')
  return character
}

/** The refusal of a `<` that starts no element. The name of what was found helps whoever has to repair the sender. */
export function unwanted(text: string, at: number): TokenRejected {
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
