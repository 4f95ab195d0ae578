import type { z } from 'zod'
import { isJsonObject, type JsonValue } from '../json.ts'
import { memberName, type Path } from './problems.ts'
import { didYouMean } from './suggest.ts'

/** What a schema found wrong with a member. */
export interface SchemaProblem {
  readonly path: Path
  readonly message: string
}

/** What a schema found wrong, as path and message in the words of an administrator. `value` is what was parsed. */
export function problemsOf(error: z.ZodError, value: JsonValue): readonly SchemaProblem[] {
  return explainAll(error.issues, value)
}

type Issue = z.core.$ZodIssue

function explainAll(issues: readonly Issue[], value: JsonValue): readonly SchemaProblem[] {
  const misspelt = issues.filter(issue => issue.code === 'unrecognized_keys')
  return issues.filter(issue => !isConsequence(issue, misspelt, value)).flatMap(issue => explain(issue, value))
}

// A member whose name is misspelt is missed by its right name too, and by the rules of the object: to be told once is enough.
function isConsequence(issue: Issue, misspelt: readonly z.core.$ZodIssueUnrecognizedKeys[], value: JsonValue): boolean {
  const object = memberName(issue.code === 'custom' ? issue.path : issue.path.slice(0, -1))
  const hints = misspelt.filter(({ path }) => memberName(path) === object).map(({ message }) => message)
  if (issue.code === 'custom') return hints.some(hint => hint.includes('; '))
  const name = String(issue.path.at(-1))
  return valueAt(value, issue.path) === undefined && hints.some(hint => hint.includes(`; did you mean "${name}"?`))
}

function explain(issue: Issue, value: JsonValue): readonly SchemaProblem[] {
  const found = valueAt(value, issue.path)
  const here = (message: string) => [{ path: issue.path, message }]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key, index) => ({ path: [...issue.path, key], message: issue.message.split('\n')[index] ?? issue.message }))
    case 'invalid_type':
      return here(wrongType(issue, found))
    case 'invalid_value':
      return here(found === undefined ? `is missing (expected ${oneOf(issue.values)})` : wrongValue(issue.values, found))
    case 'invalid_union':
      return explainUnion(issue, value, found)
    case 'invalid_key':
      return here(issue.issues[0] === undefined ? 'this name is not allowed here' : (explain(issue.issues[0], '')[0]?.message ?? ''))
    case 'too_small':
      return here(tooSmall(issue))
    case 'too_big':
      return here(`must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters long' : ''}`)
    default:
      return here(issue.message)
  }
}

const listHint = '; write [ ] around it'

function wrongType(issue: z.core.$ZodIssueInvalidType, found: JsonValue | undefined): string {
  const special = issue.message.startsWith('Invalid input') ? undefined : issue.message
  if (found === undefined) return `is missing (${special ?? `expected ${withArticle(issue.expected)}`})`
  if (special !== undefined) return special
  const hint = issue.expected === 'array' && typeof found === 'string' ? listHint : ''
  return `expected ${withArticle(issue.expected)}, found ${describeFound(found)}${hint}`
}

function tooSmall(issue: z.core.$ZodIssueTooSmall): string {
  if (issue.origin === 'string' && issue.minimum === 1) return 'must not be empty'
  if (issue.origin === 'array' && issue.minimum === 1) return 'must have at least one entry'
  return `must be at least ${issue.minimum}${issue.origin === 'string' ? ' characters long' : ''}`
}

/** How well a branch of a union fits the value: not by its type, not by its members, or but for details. */
function fitOf(issues: readonly Issue[], found: JsonValue | undefined): number {
  const direct = issues.filter(issue => issue.path.length === 0 && issue.code !== 'unrecognized_keys' && issue.code !== 'custom')
  if (direct.length > 0) return 0
  const missing = (issue: Issue) => issue.path.length === 1 && valueAt(found, issue.path) === undefined
  return issues.some(issue => issue.code === 'unrecognized_keys' || missing(issue)) ? 1 : 2
}

// Of a union's branches the one that fits best is what the administrator meant.
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, value: JsonValue, found: JsonValue | undefined): readonly SchemaProblem[] {
  const branches = issue.errors.map(issues => {
    const placed = issues.map(inner => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue)
    return { fit: fitOf(issues, found), issues, problems: explainAll(placed, value) }
  })
  const suggests = (problems: readonly SchemaProblem[]) => problems.some(({ message }) => message.includes('did you mean'))
  const best = branches
    .filter(({ fit }) => fit > 0)
    .sort((left, right) => right.fit - left.fit || Number(suggests(right.problems)) - Number(suggests(left.problems)))[0]
  if (best !== undefined) return best.problems
  const message = issue.message === 'Invalid input' ? noBranch(issue.errors.flat(), found) : issue.message
  return [{ path: issue.path, message: found === undefined && !message.startsWith('is missing') ? `is missing (${message})` : message }]
}

function noBranch(issues: readonly Issue[], found: JsonValue | undefined): string {
  const wanted = issues.flatMap(issue => {
    if (issue.path.length > 0) return []
    if (issue.code === 'invalid_value') return issue.values.map(value => JSON.stringify(value))
    return issue.code === 'invalid_type' ? [withArticle(issue.expected)] : []
  })
  if (wanted.length === 0) return 'this value is not allowed here'
  const expected = `expected ${[...new Set(wanted)].join(' or ')}`
  if (found === undefined) return expected
  const literals = issues.flatMap(issue => (issue.code === 'invalid_value' ? issue.values.filter(value => typeof value === 'string') : []))
  const hint = typeof found !== 'string' ? '' : didYouMean(found, literals) || (wanted.includes('a list') ? listHint : '')
  return `${expected}, found ${describeFound(found)}${hint}`
}

function valueAt(value: JsonValue | undefined, path: Path): JsonValue | undefined {
  let current = value
  for (const step of path) {
    if (Array.isArray(current)) current = current[Number(step)]
    else if (isJsonObject(current) && Object.hasOwn(current, step)) current = current[String(step)]
    else return undefined
  }
  return current
}

function oneOf(values: readonly unknown[]): string {
  const named = values.map(value => JSON.stringify(value))
  return named.length === 1 ? `${named[0]}` : `one of ${named.join(', ')}`
}

function wrongValue(values: readonly unknown[], found: JsonValue): string {
  const names = values.filter(value => typeof value === 'string')
  const shown = typeof found === 'string' ? JSON.stringify(found.slice(0, 60)) : describeFound(found)
  return `expected ${oneOf(values)}, found ${shown}${typeof found === 'string' ? didYouMean(found, names) : ''}`
}

// A text is never repeated: it may be a secret that stands in the wrong place.
function describeFound(value: JsonValue): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return String(value)
  return withArticle(Array.isArray(value) ? 'array' : typeof value)
}

function withArticle(kind: string): string {
  const names: Record<string, string> = { array: 'a list', record: 'an object', object: 'an object', int: 'a whole number' }
  return names[kind] ?? `a ${kind}`
}
