import type { JsonValue } from '../json.ts'
import type { Difference } from './compare.ts'
import { type CaseResult, countOf, type FileResult } from './run.ts'

/** The results for a person, line by line. */
export function inWords(results: readonly FileResult[]): readonly string[] {
  return [...results.flatMap(({ file, cases }) => [file, ...cases.flatMap(linesOfCase)]), summary(results)]
}

function linesOfCase({ name, place, differences }: CaseResult): readonly string[] {
  if (differences.length === 0) return [`  ✓ ${name}`]
  return [`  ✗ ${name}`, `      ${place.file}:${place.line}:${place.column}`, ...linesOf(differences).map(line => `      ${line}`)]
}

/** What differs, line by line. */
export function linesOf(differences: readonly Difference[]): readonly string[] {
  return differences.flatMap(({ what, expected, actual, notes = [] }) => [
    what,
    `  expected  ${shown(expected)}`,
    `  actual    ${shown(actual)}`,
    ...notes.map(note => `            ${note}`),
  ])
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}

function summary(results: readonly FileResult[]): string {
  const { cases, failed, milliseconds } = countOf(results)
  const outcome = failed === 0 ? 'all as expected' : `${failed} not as expected`
  return `${cases} ${cases === 1 ? 'case' : 'cases'}, ${outcome} (${milliseconds.toFixed(0)} ms)`
}
