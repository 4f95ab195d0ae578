import assert from 'node:assert/strict'

/** One thing that every plug-in of its kind does. */
export interface Check {
  readonly name: string
  /** Rejects where it does not. */
  run(): Promise<void>
}

/** Fails unless each of these members is there with this value. */
export function requireMembers(actual: object, expected: object): void {
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual((actual as Record<string, unknown>)[name], value, `${name} is not as expected`)
  }
}

/** Versions of a text that each differ from it in one place. */
export function alterationsOf(text: string): readonly string[] {
  const places = new Set(Array.from({ length: 40 }, (_, index) => Math.floor((index * text.length) / 40)))
  const replaced = [...places].map(at => `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`)
  return [...replaced, text.slice(0, -1), text.slice(1), `${text}A`, `${text}.`]
}

/** Texts that are no tokens of anybody. */
export const garbage: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '{}',
  'null',
  '[[[[',
  '\u0000',
  'é😀',
  '<a/>',
  'eyJhbGciOiJub25lIn0.e30.',
  'A'.repeat(100_000),
  `${'['.repeat(20_000)}`,
]
