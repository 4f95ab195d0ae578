/** Bytes that are not what the encoding or the protocol allows. The connection that they came from is not to be used any more. */
export class Malformed extends Error {}

/** One element of the Basic Encoding Rules as LDAP restricts them (RFC 4511 §5.1): one byte of tag, a definite length. */
export interface Element {
  readonly tag: number
  readonly content: Buffer
}

/** The tags of types that LDAP does not tag itself. */
export const tags = { boolean: 0x01, integer: 0x02, octets: 0x04, enumerated: 0x0a, sequence: 0x30, set: 0x31 } as const

/** An element of these parts. */
export function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.from([tag]), encodedLength(length), ...parts])
}

/** A text, as UTF-8, or bytes. */
export function octets(value: string | Buffer, tag: number = tags.octets): Buffer {
  return element(tag, typeof value === 'string' ? Buffer.from(value, 'utf8') : value)
}

/** A number of at most 31 bits, none below zero. */
export function integer(value: number, tag: number = tags.integer): Buffer {
  return element(tag, integerContent(value))
}

/** What stands in an integer: also in those that are tagged otherwise. */
export function integerContent(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  let start = 0
  while (start < 3 && bytes[start] === 0 && (bytes[start + 1] ?? 0) < 0x80) start++
  return bytes.subarray(start)
}

export function boolean(value: boolean, tag: number = tags.boolean): Buffer {
  return element(tag, Buffer.from([value ? 0xff : 0]))
}

function encodedLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(length, 1)
  const start = bytes.findIndex((byte, index) => index > 0 && byte > 0)
  bytes[start - 1] = 0x80 | (5 - start)
  return bytes.subarray(start - 1)
}

/** Where the first element of some bytes ends; undefined where too few of them are there to tell. */
export function endOfElement(bytes: Buffer, most: number): number | undefined {
  const head = headOf(bytes, 0)
  if (head === undefined) return undefined
  if (head.end > most) throw new Malformed(`an element of ${head.end} bytes; at most ${most} are read`)
  return head.end
}

interface Head {
  readonly start: number
  readonly end: number
}

function headOf(bytes: Buffer, at: number): Head | undefined {
  const first = bytes[at + 1]
  if (first === undefined) return undefined
  if (first < 0x80) return { start: at + 2, end: at + 2 + first }
  const count = first & 0x7f
  // None: the indefinite form, which RFC 4511 §5.1 rules out. More than four: no answer is so large.
  if (count === 0 || count > 4) throw new Malformed('a length that LDAP does not have')
  if (bytes.length < at + 2 + count) return undefined
  const start = at + 2 + count
  return { start, end: start + bytes.readUIntBE(at + 2, count) }
}

/** Reads elements one after the other. */
export class Elements {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get more(): boolean {
    return this.#at < this.#bytes.length
  }

  /** The tag of the next element. */
  get tag(): number | undefined {
    return this.#bytes[this.#at]
  }

  next(): Element {
    const tag = this.tag
    const head = headOf(this.#bytes, this.#at)
    if (tag === undefined || head === undefined || head.end > this.#bytes.length) throw new Malformed('an element that breaks off')
    this.#at = head.end
    return { tag, content: this.#bytes.subarray(head.start, head.end) }
  }

  /** The content of the next element, which has to have this tag. */
  take(tag: number): Buffer {
    const element = this.next()
    if (element.tag !== tag) throw new Malformed(`an element of tag ${element.tag} where ${tag} was expected`)
    return element.content
  }

  takeText(): string {
    return this.take(tags.octets).toString('utf8')
  }

  takeInteger(tag: number = tags.integer): number {
    const content = this.take(tag)
    if (content.length === 0 || content.length > 4) throw new Malformed('a number that LDAP does not have')
    return content.readIntBE(0, content.length)
  }

  /** The elements of the next one. */
  inside(tag: number): Elements {
    return new Elements(this.take(tag))
  }
}
