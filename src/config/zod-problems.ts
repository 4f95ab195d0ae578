import type { z } from 'zod'
import { isJsonObject, type JsonValue } from '../json.ts'
import type { Path } from './problems.ts'
import { didYouMean } from './suggest.ts'

/** What a schema found wrong, as path and message in the words of an administrator. `value` is what was parsed. */
export function problemsOf(error: z.ZodError, value: JsonValue): Array<{ path: Path; message: string }> {
  return error.issues.flatMap(issue => explain(issue, value))
}

function explain(issue: z.core.$ZodIssue, value: JsonValue): Array<{ path: Path; message: string }> {
  const found = valueAt(value, issue.path)
  const here = (message: string) => [{ path: issue.path, message }]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key, index) => ({ path: [...issue.path, key], message: issue.message.split('\n')[index] ?? issue.message }))
    case 'invalid_type':
      if (!issue.message.startsWith('Invalid input')) return here(issue.message)
      return here(
        found === undefined
          ? `is missing (expected ${withArticle(issue.expected)})`
          : `expected ${withArticle(issue.expected)}, found ${kindOf(found)}`,
      )
    case 'invalid_value':
      return here(found === undefined ? `is missing (${oneOf(issue.values)})` : `${oneOf(issue.values)}${suggestion(found, issue.values)}`)
    case 'invalid_union':
      return explainUnion(issue, value)
    case 'invalid_key':
      return [{ path: issue.path, message: issue.issues[0]?.message ?? 'this name is not allowed here' }]
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return here('must not be empty')
      if (issue.origin === 'array' && issue.minimum === 1) return here('must have at least one entry')
      return here(issue.message.replace(/^Too small: /, ''))
    default:
      return here(issue.message)
  }
}

// Of a union's branches the one that came furthest is what the administrator meant.
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, value: JsonValue): Array<{ path: Path; message: string }> {
  const branches = issue.errors.map(issues =>
    issues.flatMap(inner => explain({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, value)),
  )
  const depth = (problems: Array<{ path: Path }>) => Math.min(...problems.map(problem => problem.path.length))
  const deepest = branches.sort((left, right) => depth(right) - depth(left) || left.length - right.length)[0]
  return deepest ?? [{ path: issue.path, message: issue.message === 'Invalid input' ? 'this value is not allowed here' : issue.message }]
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
  return named.length === 1 ? `expected ${named[0]}` : `expected one of ${named.join(', ')}`
}

function suggestion(found: JsonValue, values: readonly unknown[]): string {
  const names = values.filter(value => typeof value === 'string')
  return typeof found === 'string'
    ? didYouMean(found, names) || `, found ${JSON.stringify(found.slice(0, 60))}`
    : `, found ${kindOf(found)}`
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null'
  return withArticle(Array.isArray(value) ? 'array' : typeof value)
}

function withArticle(kind: string): string {
  const names: Record<string, string> = { array: 'a list', record: 'an object', int: 'a whole number' }
  return names[kind] ?? `${/^[aeio]/.test(kind) ? 'an' : 'a'} ${kind}`
}
