import { findNodeAtLocation, type Node, type ParseError, type ParseErrorCode, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { JsonValue } from '../json.ts'
import type { Path } from './problems.ts'

/** A position in a text, both counted from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A mistake in the JSON itself. */
export interface JsonMistake {
  readonly path: Path
  readonly position: Position
  readonly message: string
}

/** A JSON text that remembers where each of its members stands. */
export class JsonText {
  readonly mistakes: readonly JsonMistake[]
  /** Undefined when the text has mistakes. */
  readonly value: JsonValue | undefined
  readonly #text: string
  readonly #root: Node | undefined
  readonly #lineStarts: readonly number[]

  constructor(text: string) {
    this.#text = text
    this.#lineStarts = lineStartsOf(text)
    const errors: ParseError[] = []
    this.#root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false })
    this.mistakes = errors.length > 0 ? errors.slice(0, 1).map(error => this.#syntaxMistake(error)) : this.#repeatedMembers(this.#root, [])
    this.value = this.mistakes.length === 0 ? (JSON.parse(text) as JsonValue) : undefined
  }

  /** Where the member stands: its name, or the item of a list. With `offset`: that character of the string value. */
  positionOf(path: Path, offset?: number): Position {
    const node = this.#nearest(path)
    if (node === undefined) return { line: 1, column: 1 }
    if (offset !== undefined) return this.#position(this.#insideString(node, offset))
    const named = node.parent?.type === 'property' ? (node.parent.children?.[0] ?? node) : node
    return this.#position(named.offset)
  }

  /** Whether the text itself has the member. */
  has(path: Path): boolean {
    return this.#root !== undefined && findNodeAtLocation(this.#root, [...path] as (string | number)[]) !== undefined
  }

  #nearest(path: Path): Node | undefined {
    for (let length = path.length; length >= 0; length--) {
      const node = this.#root && findNodeAtLocation(this.#root, path.slice(0, length) as (string | number)[])
      if (node !== undefined) return node
    }
    return this.#root
  }

  // An escape such as \" is two or six characters in the file and one in the value.
  #insideString(node: Node, offset: number): number {
    let at = node.offset + 1
    for (let character = 0; character < offset; character++) {
      at += this.#text[at] !== '\\' ? 1 : this.#text[at + 1] === 'u' ? 6 : 2
    }
    return at
  }

  #syntaxMistake(error: ParseError): JsonMistake {
    return { path: [], position: this.#position(error.offset), message: syntaxMessage(error.error, this.#text.startsWith('\ufeff')) }
  }

  #repeatedMembers(node: Node | undefined, path: Path): JsonMistake[] {
    if (node === undefined) return []
    if (node.type === 'array') return (node.children ?? []).flatMap((item, index) => this.#repeatedMembers(item, [...path, index]))
    if (node.type !== 'object') return []
    const seen = new Set<string>()
    return (node.children ?? []).flatMap(property => {
      const [name, value] = property.children ?? []
      const here = [...path, String(name?.value)]
      const repeated = seen.has(String(name?.value))
      seen.add(String(name?.value))
      const mistake = { path: here, position: this.#position(property.offset), message: 'the member stands here a second time' }
      return [...(repeated ? [mistake] : []), ...this.#repeatedMembers(value, here)]
    })
  }

  #position(offset: number): Position {
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 }
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function syntaxMessage(code: ParseErrorCode, hasByteOrderMark: boolean): string {
  if (hasByteOrderMark) return 'the file starts with a byte order mark; save it as UTF-8 without one'
  const messages: Record<string, string> = {
    InvalidSymbol: 'this is no JSON value',
    PropertyNameExpected: 'a member name in double quotes is expected here (is there a comma too many?)',
    ValueExpected: 'a value is expected here (is there a comma too many?)',
    ColonExpected: 'a colon is expected here',
    CommaExpected: 'a comma is expected here',
    CloseBraceExpected: 'a closing brace is missing',
    CloseBracketExpected: 'a closing bracket is missing',
    EndOfFileExpected: 'the file goes on after the end of its JSON value',
    InvalidCommentToken: 'JSON has no comments; use "description"',
  }
  return messages[printParseErrorCode(code)] ?? `this is no valid JSON (${printParseErrorCode(code)})`
}
