import { boolean, element, octets } from './ber.ts'
import { type Held, heldBytes } from './held.ts'

/** A search filter (RFC 4511 §4.5.1.7) in which values may still be missing. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | { readonly kind: Comparison; readonly attribute: string; readonly value: Held }
  | { readonly kind: 'present'; readonly attribute: string }
  | { readonly kind: 'substrings'; readonly attribute: string; readonly pieces: readonly Piece[] }
  | { readonly kind: 'extensible'; readonly rule: string; readonly attribute: string; readonly dnAttributes: boolean; readonly value: Held }

/** How the values of an attribute are held against one. */
export type Comparison = 'equal' | 'atLeast' | 'atMost' | 'approximate'

/** A part of a value between asterisks. */
export interface Piece {
  readonly place: 'initial' | 'any' | 'final'
  readonly value: Held
}

const choice = { and: 0xa0, or: 0xa1, not: 0xa2, equal: 0xa3, substrings: 0xa4, atLeast: 0xa5, atMost: 0xa6, present: 0x87 } as const
const approximate = 0xa8
const extensible = 0xa9
const place = { initial: 0x80, any: 0x81, final: 0x82 } as const

/** The filter with its values, as it is sent. A value is only ever the content of an element: there is no syntax for it to break out of. */
export function encodeFilter(filter: Filter, values: readonly string[]): Buffer {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return element(choice[filter.kind], ...filter.parts.map(part => encodeFilter(part, values)))
    case 'not':
      return element(choice.not, encodeFilter(filter.part, values))
    case 'present':
      return octets(filter.attribute, choice.present)
    case 'substrings':
      return element(choice.substrings, octets(filter.attribute), element(0x30, ...filter.pieces.map(piece => encodePiece(piece, values))))
    case 'extensible':
      return encodeExtensible(filter, values)
    default:
      return element(comparisonTag(filter.kind), octets(filter.attribute), octets(heldBytes(filter.value, values)))
  }
}

function comparisonTag(kind: Comparison): number {
  return kind === 'approximate' ? approximate : choice[kind]
}

function encodePiece(piece: Piece, values: readonly string[]): Buffer {
  return octets(heldBytes(piece.value, values), place[piece.place])
}

function encodeExtensible({ rule, attribute, dnAttributes, value }: Extract<Filter, { kind: 'extensible' }>, values: readonly string[]) {
  const parts = [octets(heldBytes(value, values), 0x83)]
  if (attribute !== '') parts.unshift(octets(attribute, 0x82))
  if (rule !== '') parts.unshift(octets(rule, 0x81))
  if (dnAttributes) parts.push(boolean(true, 0x84))
  return element(extensible, ...parts)
}
