import assert from 'node:assert/strict'
import { generatorChecks } from './generator-checks.ts'
import { managerChecks } from './manager-checks.ts'
import { processorChecks } from './processor-checks.ts'
import type { Samples } from './samples.ts'
import type { Stage } from './stage.ts'

/** One thing that every plug-in of its kind does. */
export interface Check {
  readonly name: string
  /** Rejects where it does not. */
  run(): Promise<void>
}

/** The checks for everything that the samples name. */
export function checksOfStage(stage: Stage, samples: Samples): readonly Check[] {
  const { built } = stage
  const { tokenProcessors = {}, tokenGenerators = {}, accessTokenManagers = {} } = samples
  return [
    ...Object.entries(tokenProcessors).flatMap(([id, sample]) => processorChecks(found(built['token-processors'], id), sample, stage)),
    ...Object.entries(tokenGenerators).flatMap(([id, sample]) => generatorChecks(found(built['token-generators'], id), sample, stage)),
    ...Object.entries(accessTokenManagers).flatMap(([id, sample]) =>
      managerChecks(found(built['access-token-managers'], id), sample, stage),
    ),
  ]
}

function found<Value>(values: ReadonlyMap<string, Value>, id: string): Value {
  const value = values.get(id)
  if (value === undefined) throw new Error(`the samples have no file for "${id}"`)
  return value
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
