import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { JsonValue } from '../json.ts'
import { syntaxMistake } from './json-syntax.ts'
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

/** A JSON text that can tell where each of its members stands. */
export class JsonText {
  readonly mistakes: readonly JsonMistake[]
  /** Undefined when the text has mistakes. */
  readonly value: JsonValue | undefined
  readonly #text: string
  #parsed: Node | undefined
  #starts: readonly number[] | undefined

  constructor(text: string) {
    this.#text = text
    const tooDeep = tooDeepIn(text)
    if (tooDeep !== undefined) {
      this.mistakes = [
        { path: [], position: this.#position(tooDeep), message: `no more than ${mostLevels} lists and objects stand in each other` },
      ]
      return
    }
    const value = parseOrNothing(text)
    this.mistakes = value === undefined ? this.#syntaxMistakes() : isSuspicious(text, value) ? this.#mistakenMembers(this.#root, []) : []
    this.value = this.mistakes.length === 0 ? value : undefined
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

  // Most files have no mistakes, and nobody asks where their members stand.
  get #root(): Node | undefined {
    this.#parsed ??= parseTree(this.#text, [], strictly)
    return this.#parsed
  }

  get #lineStarts(): readonly number[] {
    this.#starts ??= lineStartsOf(this.#text)
    return this.#starts
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

  // The first one only: what a parser says after it is a guess.
  #syntaxMistakes(): JsonMistake[] {
    const errors: ParseError[] = []
    parseTree(this.#text, errors, strictly)
    const [first] = errors
    const { offset, message } = syntaxMistake(this.#text, first && printParseErrorCode(first.error), first?.offset ?? 0)
    return [{ path: [], position: this.#position(offset), message }]
  }

  #mistakenMembers(node: Node | undefined, path: Path): JsonMistake[] {
    if (node?.type === 'array') return (node.children ?? []).flatMap((item, index) => this.#mistakenMembers(item, [...path, index]))
    if (node?.type !== 'object') return []
    const seen = new Map<string, number>()
    return (node.children ?? []).flatMap(property => {
      const [{ value: name = '' } = {}, value] = property.children ?? []
      const here = [...path, String(name)]
      const position = this.#position(property.offset)
      const earlier = seen.get(name)
      if (earlier === undefined) seen.set(name, position.line)
      const mistakes = this.#mistakenMembers(value, here)
      if (earlier !== undefined) mistakes.unshift({ path: here, position, message: `stands here a second time; first on line ${earlier}` })
      if (name === '__proto__') mistakes.unshift({ path: here, position, message: 'no member can have this name' })
      return mistakes
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

const strictly = { disallowComments: true, allowTrailingComma: false }

// Every reader of the value goes down into it by calling itself, and would end the process where a file has a million brackets.
const mostLevels = 100

/** Where the text opens one list or object too many. */
function tooDeepIn(text: string): number | undefined {
  let levels = 0
  for (const { 0: found, index } of text.matchAll(/"(?:[^"\\\n]|\\.)*"|[[\]{}]/g)) {
    if (found === '[' || found === '{') levels++
    else if (found === ']' || found === '}') levels--
    if (levels > mostLevels) return index
  }
  return undefined
}

function parseOrNothing(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}

// A member that is named twice stands in the text twice and in the value once; each has one colon outside of strings.
function isSuspicious(text: string, value: JsonValue): boolean {
  const colons = text.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1
  return colons !== countMembers(value)
}

/** NaN, which equals nothing, where a member has the one name that objects do not keep like any other. */
function countMembers(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0
  const ownMembers = Array.isArray(value) ? 0 : Object.hasOwn(value, '__proto__') ? Number.NaN : Object.keys(value).length
  return (Object.values(value) as JsonValue[]).reduce<number>((count, member) => count + countMembers(member), ownMembers)
}

function lineStartsOf(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
