import { isAbsolute, relative } from 'node:path'
import { nearestName } from './suggest.ts'
import type { Item } from './uses.ts'

/** The item that a person means, or why that cannot be told. */
export type NamedItem = { readonly item: Item } | { readonly problem: string }

/**
 * Finds the item that somebody typed: `token-generators/ledger`, the path of its file, `scope:orders.read`, `env:NAME`, the path of a key
 * or certificate, or just `ledger` where that means one thing only. `folder` is that of the configuration.
 */
export function itemNamed(typed: string, known: ReadonlySet<Item>, folder: string): NamedItem {
  const path = (isAbsolute(typed) ? relative(folder, typed) : typed).replaceAll('\\', '/').replace(/^\.\//, '')
  const plain = path.replace(/^policies\//, '').replace(/\.json$/, '')
  for (const item of [plain, path, `file:${path}`]) {
    if (known.has(item)) return { item }
  }
  const candidates = [...known].filter(item => nameOf(item) === plain || nameOf(item) === path)
  const [only, ...others] = candidates
  if (only !== undefined && others.length === 0) return { item: only }
  if (only !== undefined) return { problem: `"${typed}" may be ${candidates.map(each => `"${each}"`).join(' or ')}: say which` }
  return { problem: `there is no ${typed}${suggestion(plain, known)}` }
}

/** The last part of an item's name: `ledger` of `token-generators/ledger`. */
function nameOf(item: Item): string {
  return item.slice(item.search(/[/:]/) + 1)
}

function suggestion(plain: string, known: ReadonlySet<Item>): string {
  const whole = nearestName(plain, known)
  if (whole !== undefined) return `; did you mean "${whole}"?`
  const name = nearestName(
    nameOf(plain),
    [...known].map(item => nameOf(item)),
  )
  const meant = [...known].filter(item => nameOf(item) === name)
  return meant.length === 0 ? '' : `; did you mean ${meant.map(item => `"${item}"`).join(' or ')}?`
}
