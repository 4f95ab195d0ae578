import type { Parts } from '../plugin.ts'
import type { GeneratorMapping } from './idp-connection.ts'

/** Reports mappings of which a request could not tell which one it means, and virtual servers without exactly one default. */
export function reportAmbiguousGenerators(
  generators: readonly GeneratorMapping[],
  virtualServerIds: readonly string[],
  parts: Parts,
): void {
  for (const [index, generator] of generators.entries()) {
    for (const earlier of generators.slice(0, index)) reportTwins(generator, index, earlier, parts)
  }
  for (const id of virtualServerIds) reportDefaults(generators, id, parts)
}

function reportTwins(generator: GeneratorMapping, index: number, earlier: GeneratorMapping, parts: Parts): void {
  const shared = generator.virtualServerIds.find(id => earlier.virtualServerIds.includes(id))
  if (shared === undefined || generator.maker.tokenType !== earlier.maker.tokenType) return
  const same = `${earlier.name} makes the same token type`
  if (generator.appliesTo.length === 0 && earlier.appliesTo.length === 0)
    parts.problem(['generators', index], `cannot be told from ${earlier.name} at "${shared}": ${same}, and neither has "appliesTo"`)
  for (const [at, address] of generator.appliesTo.entries()) {
    if (earlier.appliesTo.includes(address))
      parts.problem(['generators', index, 'appliesTo', at], `leads to ${earlier.name} too at "${shared}", and ${same}`)
  }
}

function reportDefaults(generators: readonly GeneratorMapping[], id: string, parts: Parts): void {
  const usable = [...generators.entries()].filter(([, { virtualServerIds }]) => virtualServerIds.includes(id))
  const [first, second] = usable.filter(([, { isDefault }]) => isDefault)
  if (first === undefined) parts.problem(['generators'], `no mapping is the default at "${id}"`)
  else if (second !== undefined) parts.problem(['generators', second[0], 'default'], `${first[1].name} is the default at "${id}" already`)
}
