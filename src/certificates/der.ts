/** One element of DER (X.690 §8.1): its identifier octet, and what it holds. */
export interface DerElement {
  readonly tag: number
  readonly content: Buffer
}

/** The tags that certificates are made of (X.680 §8.4). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  bmpString: 0x1e,
} as const

/** What is thrown where bytes are no DER. */
export class NotDer extends Error {
  override readonly name = 'NotDer'
}

/** The elements that stand one after the other. Throws `NotDer`. */
export function readElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length; ) {
    const { element, end } = readElement(bytes, at)
    elements.push(element)
    at = end
  }
  return elements
}

/** The one element that the bytes are. Throws `NotDer`. */
export function readOnly(bytes: Buffer): DerElement {
  const [element, second] = readElements(bytes)
  if (element === undefined || second !== undefined) throw new NotDer('one element was expected')
  return element
}

/** The elements within another one. */
export function childrenOf({ content }: DerElement): DerElement[] {
  return readElements(content)
}

/** An object identifier in dots (X.690 §8.19). */
export function objectIdentifierOf({ tag, content }: DerElement): string {
  if (tag !== tags.objectIdentifier || content.length === 0) throw new NotDer('an object identifier was expected')
  const parts: bigint[] = []
  let part = 0n
  for (const octet of content) {
    part = (part << 7n) | BigInt(octet & 0x7f)
    if (octet < 0x80) {
      parts.push(part)
      part = 0n
    }
  }
  const [both = 0n, ...rest] = parts
  const first = both < 80n ? both / 40n : 2n
  return [first, both - first * 40n, ...rest].join('.')
}

function readElement(bytes: Buffer, at: number): { element: DerElement; end: number } {
  const tag = bytes[at]
  // X.690 §8.1.2.4: tags of several octets are in no certificate.
  if (tag === undefined || (tag & 0x1f) === 0x1f) throw new NotDer('a tag was expected')
  const { length, from } = readLength(bytes, at + 1)
  const end = from + length
  if (end > bytes.length) throw new NotDer('an element ends behind its container')
  return { element: { tag, content: bytes.subarray(from, end) }, end }
}

// X.690 §10.1: definite, and in as few octets as possible.
function readLength(bytes: Buffer, at: number): { length: number; from: number } {
  const first = bytes[at]
  if (first === undefined) throw new NotDer('a length was expected')
  if (first < 0x80) return { length: first, from: at + 1 }
  const octets = first & 0x7f
  if (octets === 0 || octets > 3 || at + octets >= bytes.length) throw new NotDer('a length is indefinite or too long')
  const length = bytes.readUIntBE(at + 1, octets)
  if (length < (octets === 1 ? 0x80 : 2 ** (8 * (octets - 1)))) throw new NotDer('a length is not in its shortest form')
  return { length, from: at + 1 + octets }
}
