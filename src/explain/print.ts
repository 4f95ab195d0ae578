import type { JsonObject, JsonValue } from '../json.ts'
import type { ExplainedLookup, ExplainedStep, ExplainedToken, Explanation } from './explanation.ts'

/** Writes an explanation for a person to read. `locate` turns the name of a setting into a place that an editor can open. */
export function printExplanation(explanation: Explanation, locate: (setting: string) => string = setting => setting): string {
  const { steps, token, refusal } = explanation
  const lines = steps.flatMap(step => linesOfStep(step, locate))
  if (token !== undefined) lines.push('', ...linesOfToken(token))
  if (refusal !== undefined) {
    const { step, status, error, description, reason, cause, setting } = refusal
    lines.push('', `${status === 503 ? 'could not be decided' : 'refused'} at ${step}: ${error} (${status}, ${reason})`, `  ${description}`)
    if (cause !== undefined) lines.push(`  because: ${cause}`)
    // No request and no setting mends a fault of the program.
    if (reason !== 'bug')
      lines.push(
        `  to change: ${setting === undefined ? 'the request' : `${isWholeProcessor(setting) ? 'the token, or ' : ''}${locate(setting)}`}`,
      )
  }
  return lines.map(inOneLine).join('\n')
}

// A claim with a line break in it would look like a step of its own.
function inOneLine(line: string): string {
  return line.replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

// No member of it decided: the token is wrong whatever the file says.
function isWholeProcessor(setting: string): boolean {
  return setting.startsWith('policies/token-processors/') && !setting.includes(' ')
}

function linesOfStep(explained: ExplainedStep, locate: Locate): string[] {
  const { step, result, facts, candidates = [], lookups = [], expressions = [], criteria = [] } = explained
  return [
    `${step.padEnd(20)}  ${result}`,
    ...candidates.map(({ name, fits, because }) => `  ${mark(fits)} ${name}${because === undefined ? '' : `: ${because}`}`),
    ...linesOfFacts(facts ?? {}),
    ...lookups.flatMap(linesOfLookup),
    ...expressions.map(({ attribute, expression, value }) => `    ${attribute} = ${expression}  ->  ${shown(value)}`),
    ...criteria.map(({ require, holds, otherwise, mode, setting }) => {
      const what = holds ? '' : `: ${otherwise}${mode === 'audit' ? ' (audit only)' : ''}, at ${locate(setting)}`
      return `  ${mark(holds)} ${require}${what}`
    }),
  ]
}

/** The query and the answer, for a person to read. */
export function linesOfLookup({ name, dataStore, query, outcome, cached, found }: ExplainedLookup): string[] {
  const asked = query === undefined ? 'nothing is asked: a value is absent' : query
  return [
    `    lookup.${name}: ${wordsFor[outcome]}${cached === true ? ', remembered' : ''} in ${dataStore}`,
    `      ${asked}`,
    ...found.flatMap((entry, index) => linesOfEntry(entry, found.length > 1 ? `[${index}]` : '')),
  ]
}

const wordsFor: Readonly<Record<ExplainedLookup['outcome'], string>> = {
  found: 'found',
  missing: 'nothing found',
  several: 'too many found',
  down: 'could not be asked',
  unfit: 'an answer that cannot be used',
}

function linesOfEntry(entry: JsonObject, index: string): string[] {
  return Object.entries(entry).map(([attribute, value]) => `      ${index}${attribute}: ${shown(value)}`)
}

type Locate = (setting: string) => string

function mark(good: boolean): string {
  return good ? '✓' : '✗'
}

function linesOfFacts(facts: JsonObject, indent = '    '): string[] {
  return Object.entries(facts).flatMap(([name, value]) =>
    isNested(value) ? [`${indent}${name}:`, ...linesOfFacts(value, `${indent}  `)] : [`${indent}${name}: ${shown(value)}`],
  )
}

function isNested(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
}

function shown(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function linesOfToken({ issuedTokenType, tokenType, expiresIn, scope, claims, xml }: ExplainedToken): string[] {
  return [
    `would issue ${issuedTokenType} (${tokenType}), good for ${expiresIn} s${scope === undefined ? '' : `, scope: ${scope}`}; decoded, not signed:`,
    ...(claims === undefined ? [] : JSON.stringify(claims, null, 2).split('\n')),
    ...(xml === undefined ? [] : indented(xml)),
  ]
}

// What we write has no white space between its elements and no ">" within a text.
function indented(xml: string): string[] {
  let depth = 0
  return xml
    .replaceAll('><', '>\n<')
    .split('\n')
    .map(line => {
      if (line.startsWith('</')) depth--
      const shownLine = `${'  '.repeat(depth)}${line}`
      if (/^<[^/]/.test(line) && !/<\/|\/>$/.test(line)) depth++
      return shownLine
    })
}
