import { didYouMean } from '../config/suggest.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Lookup } from '../policies/lookup.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { GivenAnswers } from './cases.ts'

/** A case does not say what a lookup finds, or says what no such lookup could find. */
export class AnswerMistake extends Error {}

/** The policy, with lookups that find what a case says. Nothing outside is asked; tables are part of the configuration, and are read. */
export function answering(policy: ProcessorPolicy, given: GivenAnswers): ProcessorPolicy {
  checkNames(policy, given)
  const stood = (lookups: readonly Lookup[]) => lookups.map(lookup => standInFor(lookup, given))
  const mappings = policy.mappings.map(mapping => ({ ...mapping, lookups: stood(mapping.lookups) }))
  const issues = [...policy.issues].map(([maker, issue]) => [maker, { ...issue, lookups: stood(issue.lookups) }] as const)
  return { ...policy, mappings, issues: new Map(issues) }
}

function checkNames({ id, mappings, issues }: ProcessorPolicy, given: GivenAnswers): void {
  const names = [...mappings, ...issues.values()].flatMap(({ lookups }) => lookups.map(({ name }) => name))
  const stray = Object.keys(given).find(name => !names.includes(name))
  if (stray !== undefined) throw new AnswerMistake(`the policy "${id}" has no lookup "${stray}"${didYouMean(stray, names)}`)
}

function standInFor(lookup: Lookup, given: GivenAnswers): Lookup {
  const { name, store } = lookup
  const found = Object.hasOwn(given, name) ? given[name] : undefined
  if (found === undefined) return store.type === 'table' ? lookup : { ...lookup, ask: async () => fail(lookup) }
  const rows = found === null ? [] : isJsonObject(found) ? [found] : found
  return { ...lookup, ask: async () => ({ rows: rows.map(row => assumed(lookup, row)), cached: false }) }
}

function fail({ name, store, attributes }: Lookup): never {
  const example = attributes.map(attribute => `"${attribute}": …`).join(', ')
  throw new AnswerMistake(
    `the lookup "${name}" would ask the data store "${store.id}", and a test asks nobody: write "lookups": { "${name}": { ${example} } } into the case, or null for nothing found`,
  )
}

function assumed(lookup: Lookup, row: JsonObject) {
  const unknown = Object.keys(row).find(attribute => !lookup.attributes.includes(attribute))
  const hint = unknown === undefined ? '' : didYouMean(unknown, lookup.attributes)
  if (unknown !== undefined) throw new AnswerMistake(`the lookup "${lookup.name}" does not fetch "${unknown}"${hint}`)
  try {
    return lookup.fitting(row)
  } catch (error) {
    throw new AnswerMistake(`the lookup "${lookup.name}" cannot find this: ${error instanceof Error ? error.message : String(error)}`)
  }
}
