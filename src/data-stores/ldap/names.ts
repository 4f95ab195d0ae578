import { holeMark, TemplateMistake } from './held.ts'
import { isAttributeName } from './parse-filter.ts'

/** A distinguished name in a form that is the same for names that are the same, the entry itself first. */
export type CanonicalName = readonly string[]

const special = /["+,;<>=#\\ ]/

/** Escapes a value for a name (RFC 4514 §2.4). All but letters and digits are written as bytes: nothing depends on where it stands. */
export function escapeNameValue(value: string): string {
  return value.replace(/[^A-Za-z0-9]/gu, character =>
    [...Buffer.from(character, 'utf8')].map(byte => `\\${byte.toString(16).padStart(2, '0')}`).join(''),
  )
}

/** Reads a name (RFC 4514 §3). Throws a `TemplateMistake`. */
export function parseName(text: string): CanonicalName {
  if (text.trim() === '') return []
  const reader = new NameReader(text)
  const names: string[] = []
  do names.push(reader.relativeName())
  while (reader.skips(','))
  reader.end()
  return names
}

/** Whether a name is that of the other's entry, or of one below it. */
export function isWithin(name: CanonicalName, above: CanonicalName): boolean {
  const from = name.length - above.length
  return from >= 0 && above.every((part, index) => name[from + index] === part)
}

/** Throws a `TemplateMistake` unless the values stand where values of the name stand. */
export function checkNameTemplate(texts: readonly string[]): void {
  if (texts.some(text => text.includes(holeMark))) throw new TemplateMistake('a name has no NUL; write \\00')
  parseName(texts.join(holeMark))
}

class NameReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Its parts are sorted: `cn=a+ou=b` and `ou=b+cn=a` are one. */
  relativeName(): string {
    const parts: string[] = []
    do parts.push(this.#assertion())
    while (this.skips('+'))
    return parts.sort().join('+')
  }

  skips(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  end(): void {
    if (this.#at < this.#text.length) throw new TemplateMistake(`${this.#shown(this.#text.slice(this.#at))} was not expected in a name`)
  }

  #assertion(): string {
    const written = /^[^=,+]*/.exec(this.#text.slice(this.#at))?.[0] ?? ''
    const type = written.trim()
    const sign = this.#text[this.#at + written.length]
    if (type.includes(holeMark)) throw new TemplateMistake('a value may stand only where a name has one, as in uid={…},ou=people')
    if (sign !== '=' || !isAttributeName(type))
      throw new TemplateMistake(`${this.#shown(type)} where a name such as ou=people was expected`)
    this.#at += written.length + 1
    return `${type.toLowerCase()}=${this.#value()}`
  }

  #value(): string {
    const written = /^(?:\\[\s\S]|[^\\,+])*/.exec(this.#text.slice(this.#at))?.[0] ?? ''
    this.#at += written.length
    const text = written.replace(/^ +/, '').replace(/(?<!\\) +$/, '')
    if (text.startsWith('#')) return this.#encoded(text)
    return JSON.stringify(unescapeValue(text).toLowerCase().replace(/ +/g, ' ').trim())
  }

  #encoded(text: string): string {
    if (!/^#(?:[0-9a-fA-F]{2})+$/.test(text))
      throw new TemplateMistake(`${this.#shown(text)}: after # come hexadecimal digits; write \\# for #`)
    return text.toLowerCase()
  }

  #shown(text: string): string {
    return `"${text.replaceAll(holeMark, '{…}')}"`
  }
}

function unescapeValue(text: string): string {
  const bytes = text.split(/(\\[0-9A-Fa-f]{2}|\\[\s\S])/).map(part => {
    if (/^\\[0-9A-Fa-f]{2}$/.test(part)) return Buffer.from(part.slice(1), 'hex')
    if (part.startsWith('\\')) return Buffer.from(escapedCharacter(part.slice(1)))
    if (/["<>;\\]/.test(part)) throw new TemplateMistake(`"${part}" has a character that is written with \\ in a name`)
    return Buffer.from(part, 'utf8')
  })
  return Buffer.concat(bytes).toString('utf8')
}

function escapedCharacter(character: string): string {
  if (!special.test(character)) throw new TemplateMistake(`\\${character} is nothing in a name`)
  return character
}
