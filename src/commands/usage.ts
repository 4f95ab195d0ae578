import { resolve } from 'node:path'
import { itemNamed } from '../config/item-name.ts'
import { parseFiles } from '../config/parse.ts'
import type { Place } from '../config/problems.ts'
import { readSources, readTests } from '../config/read.ts'
import { isEntrance, itemsOf, unusedOf } from '../config/unused.ts'
import { clientsIn, type UseTree, usersOf } from '../config/usage-tree.ts'
import { type Item, itemOf, type Use, usesIn } from '../config/uses.ts'
import { pluginsFrom } from '../plugins/load-plugins.ts'
import { namedPlugins } from '../plugins/named-plugins.ts'
import { terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import { type Command, configOption, readOptions } from './command.ts'
import { counted } from './counted.ts'

/** `cambist usage`: who uses a file or a scope, and what nothing uses. */
export const usage: Command = {
  name: 'usage',
  usage: 'usage NAME | --unused [--json] [--config DIR]',
  summary: 'tell who uses a file or a scope, or what nothing uses',
  help: [
    'usage NAME lists everything that uses a file, with its line, and indented below it who uses that in turn, up to the',
    'clients: what would break if it were removed. NAME is KIND/ID (token-generators/ledger), the path of the file, an ID',
    'alone where only one file has it, scope:NAME, env:NAME, or the path of a key, certificate or secret. Exits 0 when',
    'there is such a thing, used or not, and 1 when there is none.',
    'usage --unused lists the files and scopes that no client and nothing in server.json comes to. Exits 0 when there are',
    'none, 1 when there are. A disabled client counts: it can be enabled again.',
    'A configuration with problems is answered for as far as it can be read, and standard error says which files were not.',
  ].join('\n'),
  async run(args) {
    const options = { ...configOption, unused: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } as const
    const { values, positionals } = readOptions(args, options, 1)
    const [name] = positionals
    if ((name === undefined) !== values.unused) throw new UsageError('say what is looked for: usage NAME, or usage --unused')
    const world = await readWorld(resolve(values.config))
    for (const file of world.unread)
      terminal.complain(`${file} has problems, so that what it uses is not known for sure ("cambist check" tells them)`)
    return name === undefined ? listUnused(world, values.json) : listUsers(name, world, values.json)
  },
}

interface World {
  readonly folder: string
  readonly items: ReadonlySet<Item>
  readonly uses: readonly Use[]
  readonly fileOf: ReadonlyMap<Item, string>
  /** Files that could not be parsed, or not even read. */
  readonly unread: readonly string[]
}

async function readWorld(folder: string): Promise<World> {
  const [sources, tests] = await Promise.all([readSources(folder), readTests(folder)])
  const files = [...sources.files, ...tests.files]
  const problems = [...sources.problems, ...tests.problems]
  const plugins = await pluginsFrom(folder)(namedPlugins(sources))
  const { parsed } = await parseFiles({ files, problems, version: '' }, plugins)
  const whole = new Set(parsed.map(({ source }) => source.file))
  const named = [...files.map(({ file }) => file), ...problems.map(({ place }) => place.file)]
  return {
    folder,
    items: itemsOf(parsed, files),
    uses: usesIn(parsed, files),
    fileOf: new Map(files.map(source => [itemOf(source), source.file])),
    unread: [...new Set(named)].filter(file => !whole.has(file)),
  }
}

function listUsers(typed: string, { folder, items, uses, fileOf }: World, json: boolean): number {
  // What was removed while it was in use is known by those who name it.
  const known = new Set([...items, ...uses.map(({ used }) => used).filter(used => !used.startsWith('server.'))])
  const named = itemNamed(typed, known, folder)
  if ('problem' in named) {
    terminal.complain(named.problem)
    return 1
  }
  const { item } = named
  const users = usersOf(item, uses)
  const clients = clientsIn(users)
  const exists = items.has(item) || /^(file|env):/.test(item)
  if (json) terminal.print(JSON.stringify({ name: item, exists, clients, users: users.map(described) }, undefined, 2))
  else {
    const shown = fileOf.get(item) ?? item
    if (!exists) terminal.print(`${shown} is not there, and is named all the same`)
    terminal.print(users.length === 0 ? nobody(shown, item) : `${shown} is used by`)
    for (const line of users.flatMap(user => linesOf(user, 1))) terminal.print(line)
    if (users.length > 0 && !isEntrance(item))
      terminal.print(clients.length === 0 ? 'no client comes to it' : `${counted(clients.length, 'client')}: ${clients.join(', ')}`)
  }
  return exists ? 0 : 1
}

function nobody(shown: string, item: Item): string {
  return isEntrance(item) ? `${shown} is used by no file: requests come in here` : `${shown} is used by nothing`
}

function linesOf({ place, note, users, shown }: UseTree, depth: number): string[] {
  const remark = [note, shown && 'its users are shown above'].filter(Boolean).join('; ')
  return [`${'  '.repeat(depth)}${located(place)}${remark && ` (${remark})`}`, ...users.flatMap(user => linesOf(user, depth + 1))]
}

function located({ file, line, column, member }: Place): string {
  return `${file}:${line}:${column} ${member}`
}

function described({ user, place, note, shown, users }: UseTree): object {
  return { user, ...place, ...(note !== undefined && { note }), ...(shown && { shownAbove: true }), users: users.map(described) }
}

function listUnused({ items, uses, fileOf }: World, json: boolean): number {
  const unused = unusedOf(items, uses)
  if (json) {
    const found = [...unused].map(([item, users]) => ({
      name: item,
      file: fileOf.get(item) ?? 'server.json',
      users: users.map(({ place }) => place),
    }))
    terminal.print(JSON.stringify({ unused: found }, undefined, 2))
  } else {
    for (const [item, users] of unused) {
      const by = users.map(({ place }) => located(place)).join(' and ')
      terminal.print(`${fileOf.get(item) ?? item}${by && `: used only by ${by}, which nothing uses`}`)
    }
    terminal.print(unused.size === 0 ? 'everything is used' : `${counted(unused.size, 'thing')} that nothing uses`)
  }
  return unused.size === 0 ? 0 : 1
}
