import { groupedBy } from './grouped-by.ts'
import type { ParsedFile } from './parse.ts'
import type { SourceFile } from './read.ts'
import { type Item, itemOf, type Use } from './uses.ts'

/** What there is: every file, and every scope of `server.json`. */
export function itemsOf(parsed: readonly ParsedFile[], sources: readonly SourceFile[]): ReadonlySet<Item> {
  const server = parsed.find(({ source }) => source.kind === 'server')
  const scopes = Object.keys((server?.blueprint.settings as { scopes?: object } | undefined)?.scopes ?? {})
  return new Set([...sources.map(itemOf), ...scopes.map(scope => `scope:${scope}`)])
}

// Requests come in by clients; what only they or the server itself name is used.
const entrances: readonly string[] = ['server', 'clients']
// Tests use what they are about, and are there for nobody else.
const onlookers: readonly string[] = ['tests']

/** Whether requests come in here, so that it needs no user. */
export function isEntrance(item: Item): boolean {
  return entrances.some(kind => item === kind || item.startsWith(`${kind}/`) || item.startsWith(`${kind}.`))
}

/** Everything that no request can come to, each with those who use it all the same: they are not used either. */
export function unusedOf(items: ReadonlySet<Item>, uses: readonly Use[]): ReadonlyMap<Item, readonly Use[]> {
  const byUser = groupedBy(uses, ({ user }) => user)
  const byUsed = groupedBy(uses, ({ used }) => used)
  const reached = new Set([...items, ...byUser.keys()].filter(isEntrance))
  for (const user of reached) for (const { used } of byUser.get(user) ?? []) reached.add(used)
  const unused = [...items].filter(item => !reached.has(item) && !onlookers.some(kind => item.startsWith(`${kind}/`)))
  return new Map(unused.map(item => [item, (byUsed.get(item) ?? []).filter(({ implied }) => implied !== true)]))
}
