/** A value of a filter: bytes that the configuration says, and places for values that are known when it is asked. */
export type Held = readonly (Buffer | Hole)[]

/** The place of a value, by its number. */
export interface Hole {
  readonly hole: number
}

/** Stands for a value while a template is read. Neither a filter nor a name may have it otherwise (RFC 4515 §3, RFC 4514 §3). */
export const holeMark = '\0'

/** The bytes of a value when all that was missing is there. */
export function heldBytes(held: Held, values: readonly string[]): Buffer {
  return Buffer.concat(held.map(part => (Buffer.isBuffer(part) ? part : Buffer.from(values[part.hole] ?? '', 'utf8'))))
}

/** A filter or a name that cannot be read, for the administrator. */
export class TemplateMistake extends Error {}
