import { didYouMean } from '../config/suggest.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { IdpConnection } from '../policies/idp-connection.ts'
import type { Lookup } from '../policies/lookup.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { GivenAnswers } from './cases.ts'

/** A case does not say what a lookup finds, or says what no such lookup could find. */
export class AnswerMistake extends Error {}

/** The policy, with lookups that find what a case says. Nothing outside is asked; tables are part of the configuration, and are read. */
export function answering(policy: ProcessorPolicy, given: GivenAnswers): ProcessorPolicy {
  checkNames(`the policy "${policy.id}"`, lookupsOf(policy), given)
  const mappings = policy.mappings.map(mapping => stoodIn(mapping, given))
  const issues = [...policy.issues].map(([maker, issue]) => [maker, stoodIn(issue, given)] as const)
  return { ...policy, mappings, issues: new Map(issues) }
}

/** The same for a connection. */
export function answeringConnection(connection: IdpConnection, given: GivenAnswers): IdpConnection {
  checkNames(`the connection "${connection.id}"`, lookupsOf(connection), given)
  const { mapping, actorMapping, generators } = connection
  return {
    ...connection,
    mapping: stoodIn(mapping, given),
    actorMapping: actorMapping && stoodIn(actorMapping, given),
    generators: generators.map(generator => stoodIn(generator, given)),
  }
}

/** All lookups of a policy or a connection. */
export function lookupsOf(rules: ProcessorPolicy | IdpConnection): readonly Lookup[] {
  const all = 'issues' in rules ? [...rules.mappings, ...rules.issues.values()] : [rules.mapping, ...rules.generators]
  return all.flatMap(({ lookups }) => lookups)
}

function stoodIn<Mapping extends { readonly lookups: readonly Lookup[] }>(mapping: Mapping, given: GivenAnswers): Mapping {
  return { ...mapping, lookups: mapping.lookups.map(lookup => standInFor(lookup, given)) }
}

function checkNames(whose: string, lookups: readonly Lookup[], given: GivenAnswers): void {
  const names = lookups.map(({ name }) => name)
  const stray = Object.keys(given).find(name => !names.includes(name))
  if (stray !== undefined) throw new AnswerMistake(`${whose} has no lookup "${stray}"${didYouMean(stray, names)}`)
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
