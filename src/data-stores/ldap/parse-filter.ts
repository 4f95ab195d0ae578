import type { Comparison, Filter, Piece } from './filter.ts'
import { type Held, holeMark, TemplateMistake } from './held.ts'

const attributeForm = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9-]+)*$/
const item = /^([^=:~<>]*?)((?::dn)?(?::[^=:]*)?:=|~=|>=|<=|=)(.*)$/s
const comparisons: Readonly<Record<string, Comparison>> = { '=': 'equal', '~=': 'approximate', '>=': 'atLeast', '<=': 'atMost' }
const deepest = 32

/** Whether this is how an attribute is named, with its options (RFC 4512 §2.5). */
export function isAttributeName(text: string): boolean {
  return attributeForm.test(text)
}

/**
 * Reads a filter in its written form (RFC 4515 §3). The texts between the values come as they are written; a value may stand only where
 * the filter has one, so that whatever it is it stays one. Throws a `TemplateMistake`.
 */
export function parseFilter(texts: readonly string[]): Filter {
  if (texts.some(text => text.includes(holeMark))) throw new TemplateMistake('a filter has no NUL; write \\00')
  return new FilterReader(texts.join(holeMark)).whole()
}

class FilterReader {
  readonly #text: string
  #at = 0
  #holes = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): Filter {
    const filter = this.#filter(0)
    if (this.#at < this.#text.length) throw new TemplateMistake(`${this.#here()} follows the filter; several are one in (&…) or (|…)`)
    return filter
  }

  #filter(depth: number): Filter {
    if (depth > deepest) throw new TemplateMistake(`the filter is nested more than ${deepest} times`)
    this.#expect('(')
    const filter = this.#inside(depth)
    this.#expect(')')
    return filter
  }

  #inside(depth: number): Filter {
    const sign = this.#text[this.#at]
    if (sign !== '&' && sign !== '|' && sign !== '!') return this.#item()
    this.#at++
    if (sign === '!') return { kind: 'not', part: this.#filter(depth + 1) }
    const parts: Filter[] = []
    do parts.push(this.#filter(depth + 1))
    while (this.#text[this.#at] === '(')
    return { kind: sign === '&' ? 'and' : 'or', parts }
  }

  #item(): Filter {
    const text = /^[^()]*/.exec(this.#text.slice(this.#at))?.[0] ?? ''
    const [, attribute = '', sign = '', value = ''] = item.exec(text) ?? []
    if (sign === '') throw new TemplateMistake(`${this.#here()}: a comparison such as (mail=…) was expected`)
    this.#at += text.length
    if (`${attribute}${sign}`.includes(holeMark)) {
      throw new TemplateMistake('a value may stand only where the filter has one, as in (mail={…}), not for an attribute or a sign')
    }
    return sign.endsWith(':=') ? this.#extensible(attribute, sign, value) : this.#comparison(attribute, sign, value)
  }

  #comparison(attribute: string, sign: string, value: string): Filter {
    checkAttribute(attribute)
    if (sign === '=' && value === '*') return { kind: 'present', attribute }
    if (sign === '=' && value.includes('*')) return { kind: 'substrings', attribute, pieces: this.#pieces(value) }
    // By how it sounds, that is: whoever may choose a value chooses who is found.
    if (sign === '~=' && value.includes(holeMark)) throw new TemplateMistake('a value may not stand after ~=, which finds what is similar')
    return { kind: comparisons[sign] ?? 'equal', attribute, value: this.#held(value) }
  }

  #extensible(attribute: string, sign: string, value: string): Filter {
    const [, dn, rule = ''] = /^(:dn)?(?::([^:=]+))?:=$/i.exec(sign) ?? []
    if (attribute !== '' || rule === '') checkAttribute(attribute)
    if (rule !== '') checkAttribute(rule)
    return { kind: 'extensible', rule, attribute, dnAttributes: dn !== undefined, value: this.#held(value) }
  }

  #pieces(text: string): Piece[] {
    const parts = text.split('*')
    const placeOf = (index: number) => (index === 0 ? 'initial' : index === parts.length - 1 ? 'final' : 'any')
    return parts.flatMap((part, index) => (part === '' ? [] : [{ place: placeOf(index), value: this.#held(part) } as const]))
  }

  /** RFC 4515 §3 `valueencoding`: two digits after a backslash are a byte. */
  #held(text: string): Held {
    const parts = text.split(/(\0|\\[0-9A-Fa-f]{2}|\\)/).filter(part => part !== '')
    return parts.map(part => {
      if (part === holeMark) return { hole: this.#holes++ }
      if (part === '\\') throw new TemplateMistake(`after \\ come two hexadecimal digits, as in \\2a for *; found in ${shown(text)}`)
      if (part.includes('*')) throw new TemplateMistake('an asterisk stands after = only; write \\2a')
      return part.startsWith('\\') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part, 'utf8')
    })
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw new TemplateMistake(`${this.#here()}: "${character}" was expected`)
    this.#at++
  }

  #here(): string {
    const rest = this.#text.slice(this.#at)
    return rest === '' ? 'the end' : shown(rest)
  }
}

function checkAttribute(name: string): void {
  if (isAttributeName(name)) return
  throw new TemplateMistake(name === '' ? 'a comparison names no attribute' : `${shown(name)} is no name of an attribute`)
}

function shown(text: string): string {
  return `"${text.replaceAll(holeMark, '{…}')}"`
}
