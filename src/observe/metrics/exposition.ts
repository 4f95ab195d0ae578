import type { FamilyNumbers } from './family.ts'

/** The content type of the text. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

/** The numbers in the text format that Prometheus reads (version 0.0.4). */
export function exposition(families: readonly FamilyNumbers[]): string {
  return families
    .filter(({ series }) => series.length > 0)
    .map(
      family =>
        `# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.type}\n${family.series.map(each => linesOf(family, each)).join('')}`,
    )
    .join('')
}

function linesOf(family: FamilyNumbers, { labels, numbers }: FamilyNumbers['series'][number]): string {
  const { name, bounds } = family
  const pairs = labels.map((value, index) => `${family.labels[index]}="${escaped(value)}"`)
  if (bounds === undefined) return `${name}${inBraces(pairs)} ${numbers[0]}\n`
  let count = 0
  const buckets = [...bounds, '+Inf'].map((bound, index) => {
    count += numbers[index] ?? 0
    return `${name}_bucket${inBraces([...pairs, `le="${bound}"`])} ${count}\n`
  })
  return `${buckets.join('')}${name}_sum${inBraces(pairs)} ${numbers.at(-1)}\n${name}_count${inBraces(pairs)} ${count}\n`
}

function inBraces(pairs: readonly string[]): string {
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
