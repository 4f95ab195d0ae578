import type { FamilyNumbers } from './family.ts'

const combine = {
  sum: (left: number, right: number) => left + right,
  max: Math.max,
  min: Math.min,
}

/** The numbers of several processes as those of one. */
export function together(processes: ReadonlyArray<readonly FamilyNumbers[]>): readonly FamilyNumbers[] {
  const families = new Map<string, { readonly family: FamilyNumbers; readonly series: Map<string, FamilyNumbers['series'][number]> }>()
  for (const family of processes.flat()) {
    const known = families.get(family.name) ?? { family, series: new Map() }
    families.set(family.name, known)
    for (const { labels, numbers } of family.series) {
      const name = JSON.stringify(labels)
      const others = known.series.get(name)?.numbers
      const both = others === undefined ? numbers : numbers.map((number, index) => combine[family.across](others[index] ?? 0, number))
      known.series.set(name, { labels, numbers: both })
    }
  }
  return [...families.values()].map(({ family, series }) => ({ ...family, series: [...series.values()] }))
}

/** What stays of a process that has ended: a count that went backwards would be taken for a restart of the whole server. */
export function remains(families: readonly FamilyNumbers[]): readonly FamilyNumbers[] {
  return families.filter(({ type, across }) => type !== 'gauge' && across === 'sum')
}
