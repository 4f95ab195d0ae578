import { groupedBy } from './grouped-by.ts'
import { isEntrance } from './unused.ts'
import type { Item, Use } from './uses.ts'

/** One use, with those who use its user in turn. */
export interface UseTree extends Use {
  readonly users: readonly UseTree[]
  /** Its user has users, who are shown where it stands first. */
  readonly shown?: true
}

/** Who uses an item, directly and through others, up to the clients: what would break without it. */
export function usersOf(item: Item, uses: readonly Use[]): readonly UseTree[] {
  const byUsed = groupedBy(uses, ({ used }) => used)
  const expanded = new Set([item])
  const treesOf = (used: Item, direct: boolean): readonly UseTree[] =>
    (byUsed.get(used) ?? []).flatMap(use => {
      const { user } = use
      // Deeper down the user that is implied is there by its own words too.
      if (use.implied === true && !direct && !user.startsWith('keys/')) return []
      if (isEntrance(user) && !user.includes('.')) return [{ ...use, users: [] }]
      if (expanded.has(user)) return [{ ...use, users: [], ...(byUsed.has(user) && { shown: true as const }) }]
      expanded.add(user)
      return [{ ...use, users: treesOf(user, false) }]
    })
  return treesOf(item, true)
}

/** The clients in a tree, each once, by name. */
export function clientsIn(trees: readonly UseTree[]): readonly string[] {
  const items = (tree: UseTree): Item[] => [tree.user, ...tree.users.flatMap(items)]
  const clients = trees.flatMap(items).filter(item => item.startsWith('clients/'))
  return [...new Set(clients)].map(item => item.slice('clients/'.length)).sort()
}
