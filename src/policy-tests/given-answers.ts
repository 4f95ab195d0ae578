import type { Path } from '../config/problems.ts'
import { didYouMean } from '../config/suggest.ts'
import type { Row } from '../data-stores/data-store.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { IdpConnection } from '../policies/idp-connection.ts'
import type { Lookup } from '../policies/lookup.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { GivenAnswers } from './cases.ts'

/** What a case is judged by. */
export type Rules = ProcessorPolicy | IdpConnection

/** A case does not say what a lookup finds, or says what no such lookup could find. */
export class AnswerMistake extends Error {}

/** The policy, with lookups that find what a case says. Nothing outside is asked; tables are part of the configuration, and are read. */
export function answering(policy: ProcessorPolicy, given: GivenAnswers): ProcessorPolicy {
  requirePossible(policy, given)
  const mappings = policy.mappings.map(mapping => stoodIn(mapping, given))
  const issues = [...policy.issues].map(([maker, issue]) => [maker, stoodIn(issue, given)] as const)
  return { ...policy, mappings, issues: new Map(issues) }
}

/** The same for a connection. */
export function answeringConnection(connection: IdpConnection, given: GivenAnswers): IdpConnection {
  requirePossible(connection, given)
  const { mapping, actorMapping, generators } = connection
  return {
    ...connection,
    mapping: stoodIn(mapping, given),
    actorMapping: actorMapping && stoodIn(actorMapping, given),
    generators: generators.map(generator => stoodIn(generator, given)),
  }
}

/** All lookups of a policy or a connection. */
export function lookupsOf(rules: Rules): readonly Lookup[] {
  const all = 'issues' in rules ? [...rules.mappings, ...rules.issues.values()] : [rules.mapping, ...rules.generators]
  return all.flatMap(({ lookups }) => lookups)
}

function stoodIn<Mapping extends { readonly lookups: readonly Lookup[] }>(mapping: Mapping, given: GivenAnswers): Mapping {
  return { ...mapping, lookups: mapping.lookups.map(lookup => standInFor(lookup, given)) }
}

function requirePossible(rules: Rules, given: GivenAnswers): void {
  const [mistake] = mistakesOfAnswers(rules, given)
  if (mistake !== undefined) throw new AnswerMistake(mistake.message)
}

/** What a case says of lookups that are not there, or cannot find this. */
export function mistakesOfAnswers(rules: Rules, given: GivenAnswers): ReadonlyArray<{ readonly path: Path; readonly message: string }> {
  const lookups = lookupsOf(rules)
  const names = lookups.map(({ name }) => name)
  const whose = `the ${'issues' in rules ? 'policy' : 'connection'} "${rules.id}"`
  return Object.entries(given).flatMap(([name, found]) => {
    const sharing = lookups.filter(lookup => lookup.name === name)
    if (sharing.length === 0) return [{ path: [name], message: `${whose} has no lookup "${name}"${didYouMean(name, names)}` }]
    // Lookups of several mappings may share a name; what none of them could find is a mistake for sure.
    const mistakes = sharing.map(lookup => rowsOf(found).flatMap(row => mistakeOfRow(lookup, row) ?? []))
    return mistakes.every(({ length }) => length > 0) ? (mistakes[0] ?? []) : []
  })
}

function rowsOf(found: GivenAnswers[string] | undefined): readonly JsonObject[] {
  if (found === null || found === undefined) return []
  return isJsonObject(found) ? [found] : found
}

function standInFor(lookup: Lookup, given: GivenAnswers): Lookup {
  const { name, store } = lookup
  const found = Object.hasOwn(given, name) ? given[name] : undefined
  if (found === undefined) return store.type === 'table' ? lookup : { ...lookup, ask: async () => fail(lookup) }
  return { ...lookup, ask: async () => ({ rows: rowsOf(found).map(row => assumed(lookup, row)), cached: false }) }
}

function fail({ name, store, attributes }: Lookup): never {
  const example = attributes.map(attribute => `"${attribute}": …`).join(', ')
  throw new AnswerMistake(
    `the lookup "${name}" would ask the data store "${store.id}", and a test asks nobody: write "lookups": { "${name}": { ${example} } } into the case, or null for nothing found`,
  )
}

function assumed(lookup: Lookup, row: JsonObject): Row {
  const mistake = mistakeOfRow(lookup, row)
  if (mistake !== undefined) throw new AnswerMistake(mistake.message)
  return lookup.fitting(row)
}

function mistakeOfRow(lookup: Lookup, row: JsonObject): { readonly path: Path; readonly message: string } | undefined {
  const unknown = Object.keys(row).find(attribute => !lookup.attributes.includes(attribute))
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, lookup.attributes)
    return { path: [lookup.name, unknown], message: `the lookup "${lookup.name}" does not fetch "${unknown}"${hint}` }
  }
  try {
    lookup.fitting(row)
    return undefined
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { path: [lookup.name], message: `the lookup "${lookup.name}" cannot find this: ${why}` }
  }
}
