import type { Template } from '../data-store.ts'
import { isSlot } from '../data-store.ts'
import type { Dialect } from './dialect.ts'

/** What a piece of SQL is; `slot` is the place of a value. */
export type TokenKind = 'space' | 'comment' | 'string' | 'identifier' | 'word' | 'number' | 'slot' | 'sign'

/** A piece of SQL, and where it stands in the template's text. */
export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly offset: number
}

/** SQL that cannot be taken apart, or must not be used; `offset` is in the template's text. */
export class SqlMistake extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

// No SQL has it, and the text of a template is refused where it does.
const slotMark = '\0'

/**
 * Takes SQL apart as the server of this dialect does, far enough to know what is text, a name or a comment, so that a value is never
 * put into one of them. Throws a `SqlMistake`.
 */
export function tokensOf(template: Template, dialect: Dialect): readonly Token[] {
  const text = new TemplateText(template)
  const tokens: Token[] = []
  let at = 0
  while (at < text.marked.length) {
    const { kind, end } = tokenAt(text, at, dialect)
    const token = { kind, text: text.marked.slice(at, end), offset: text.offsetOf(at) }
    refuse(token, text, at, end)
    tokens.push(token)
    at = end
  }
  return tokens
}

/** The text with one mark for each value, and the way back to where something stood in what was written. */
class TemplateText {
  readonly marked: string
  readonly #starts: ReadonlyArray<{ readonly at: number; readonly offset: number }>

  constructor({ pieces }: Template) {
    let marked = ''
    this.#starts = pieces.map(piece => {
      const start = { at: marked.length, offset: piece.offset }
      if (!isSlot(piece) && piece.text.includes(slotMark)) throw new SqlMistake('has a NUL character', piece.offset)
      marked += isSlot(piece) ? slotMark : piece.text
      return start
    })
    this.marked = marked
  }

  offsetOf(at: number): number {
    const start = this.#starts.findLast(start => start.at <= at)
    return start === undefined ? 0 : start.offset + at - start.at
  }
}

const blank = /\s+/y
const number = /[0-9][\w.]*/y

function tokenAt({ marked }: TemplateText, at: number, dialect: Dialect): { kind: TokenKind; end: number } {
  if (marked[at] === slotMark) return { kind: 'slot', end: at + 1 }
  const found = [
    ['space', match(blank, marked, at)],
    ['comment', dialect.endOfComment(marked, at)],
    ['string', dialect.endOfString(marked, at)],
    ['identifier', dialect.endOfIdentifier(marked, at)],
    ['word', match(dialect.word, marked, at)],
    ['number', match(number, marked, at)],
  ] as const
  const [kind, end] = found.find(([, end]) => end !== undefined) ?? ['sign', at + 1]
  return { kind, end: end ?? at + 1 }
}

const names = { comment: 'a comment', string: 'a text in quotes', identifier: 'a name in quotes' } as const

function refuse({ kind, text, offset }: Token, whole: TemplateText, at: number, end: number): void {
  if (kind !== 'comment' && kind !== 'string' && kind !== 'identifier') return
  if (end > whole.marked.length) throw new SqlMistake(`${names[kind]} begins here and does not end`, offset)
  const slot = text.indexOf(slotMark)
  const remedy = kind === 'string' ? 'a value needs no quotes, it is never part of the text' : 'a value can only stand where SQL has values'
  if (slot >= 0) throw new SqlMistake(`a value stands in ${names[kind]}; ${remedy}`, whole.offsetOf(at + slot))
  if (kind === 'comment' && /^\/\*M?!/.test(text))
    throw new SqlMistake('a comment that some servers execute is no comment; leave it out', offset)
  // Whether it escapes the quote after it depends on settings of the server, and with it where the text ends.
  const backslash = kind === 'string' ? text.indexOf('\\') : -1
  if (backslash >= 0 && !text.startsWith('$'))
    throw new SqlMistake(
      'a backslash in a text means different things to different servers; write it as a value',
      whole.offsetOf(at + backslash),
    )
}

/** Where what the sticky pattern finds at this place ends; undefined where it finds nothing. */
export function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}
