import { isJsonObject, type JsonValue } from '../json.ts'
import type { FolderKind } from './folders.ts'
import { groupedBy } from './grouped-by.ts'
import { findInstances } from './link.ts'
import type { ParsedFile } from './parse.ts'
import { type Path, type Place, placeOf } from './problems.ts'
import type { SourceFile } from './read.ts'
import { ExpressionSource, ExternalText, Reference, ScopeName } from './values.ts'

/**
 * Anything that something else can use, in one word: `keys/api`, `scope:orders.read`, `file:keys/api.pem`, `env:API_KEY`, `server`, and
 * `server.defaults.processorPolicy` for what clients take when they name nothing of their own.
 */
export type Item = string

/** One use of an item: who uses it, and where that is written. */
export interface Use {
  readonly user: Item
  readonly used: Item
  readonly place: Place
  /** What the member does not say by itself. */
  readonly note?: string
  /** Nothing is named there: the use follows from what is. */
  readonly implied?: true
}

/** The item that a file is. */
export function itemOf({ kind, id }: Pick<SourceFile, 'kind' | 'id'>): Item {
  return kind === 'server' ? 'server' : `${kind}/${id}`
}

/**
 * Every use in a configuration, found by looking at the values of all files, so that each kind of reference is among them. Files that
 * could not be parsed take part by their texts: whatever in them is called like a file may be meant.
 */
export function usesIn(parsed: readonly ParsedFile[], sources: readonly SourceFile[]): readonly Use[] {
  const whole = new Set(parsed.map(({ source }) => source))
  const ids = idsOf(sources)
  return [
    ...parsed.flatMap(file => [...namedIn(file), ...inheritedBy(file), ...scopesInExpressions(file, parsed)]),
    ...sources.filter(source => !whole.has(source)).flatMap(source => guessedIn(source, ids)),
    ...linesOfKeys(parsed),
    ...defaultsOfClients(parsed),
    ...reachedGroups(parsed),
  ]
}

function namedIn(file: ParsedFile): Use[] {
  const { settings } = file.blueprint
  const named: Array<readonly [Path, Item]> = [
    ...findInstances(settings, Reference).map(([path, { kind, id }]) => [path, itemOf({ kind, id })] as const),
    ...findInstances(settings, ScopeName).map(([path, { name }]) => [path, `scope:${name}`] as const),
    ...findInstances(settings, ExternalText).map(([path, { from, name }]) => [path, `${from}:${name}`] as const),
  ]
  // What is inherited is used by the file that it comes from.
  return named.filter(([path]) => !file.inherited.has(String(path[0]))).map(([path, used]) => use(file, path, used))
}

function use({ source }: Pick<ParsedFile, 'source'>, path: Path, used: Item, more: Pick<Use, 'note' | 'implied'> = {}): Use {
  const user = source.kind === 'server' && path[0] === 'defaults' ? `server.defaults.${String(path[1])}` : itemOf(source)
  return { user, used, place: placeOf(source.file, source.text, path), ...more }
}

function inheritedBy(file: ParsedFile): Use[] {
  const { extends: parent } = file.blueprint.settings as { extends?: unknown }
  return typeof parent === 'string' ? [use(file, ['extends'], `${file.source.kind}/${parent}`)] : []
}

/** A scope that stands as a text in an expression: `['orders.read']`. */
function scopesInExpressions(file: ParsedFile, parsed: readonly ParsedFile[]): Use[] {
  const server = parsed.find(({ source }) => source.kind === 'server')
  const scopes = Object.keys((server?.blueprint.settings as { scopes?: object } | undefined)?.scopes ?? {})
  return findInstances(file.blueprint.settings, ExpressionSource).flatMap(([path, { source }]) => {
    const texts = new Set([...source.matchAll(/'([^'\\]*)'|"([^"\\]*)"/g)].map(([, single, double]) => single ?? double))
    return scopes.filter(scope => texts.has(scope)).map(scope => use(file, path, `scope:${scope}`, { note: 'in an expression' }))
  })
}

type Ids = ReadonlyMap<string, readonly Item[]>

function idsOf(sources: readonly SourceFile[]): Ids {
  const ids = new Map<string, Item[]>()
  for (const source of sources) {
    if (source.kind !== 'server') ids.set(source.id, [...(ids.get(source.id) ?? []), itemOf(source)])
  }
  return ids
}

function guessedIn(source: SourceFile, ids: Ids): Use[] {
  const note = 'perhaps: this file has problems'
  return textsIn(source.text.value, []).flatMap(([path, text]) =>
    (ids.get(text) ?? []).filter(item => item !== itemOf(source)).map(item => use({ source }, path, item, { note })),
  )
}

function textsIn(value: JsonValue | undefined, path: Path): Array<readonly [Path, string]> {
  if (typeof value === 'string') return [[path, value]]
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, [...path, index]))
  return isJsonObject(value) ? Object.entries(value).flatMap(([name, member]) => textsIn(member, [...path, name])) : []
}

/** Whoever names a key uses those that follow it in its line too. */
function linesOfKeys(parsed: readonly ParsedFile[]): Use[] {
  return parsed.flatMap(file => {
    const { replaces } = file.blueprint.settings as { replaces?: Reference }
    if (file.source.kind !== 'keys' || replaces === undefined) return []
    const note = `whoever names ${itemOf(replaces)} uses this key too`
    return [{ ...use(file, ['replaces'], itemOf(file.source), { note, implied: true }), user: itemOf(replaces) }]
  })
}

interface Exchanging {
  readonly tokenExchange: {
    readonly enabled: boolean
    readonly processorPolicy?: Reference
    readonly default: { readonly accessTokenManager?: Reference; readonly generatorGroup?: Reference }
  }
}

/** Clients that take what `defaults` of `server.json` says, because they say nothing else. */
function defaultsOfClients(parsed: readonly ParsedFile[]): Use[] {
  return parsed.flatMap(file => {
    if (file.source.kind !== 'clients') return []
    const { enabled, processorPolicy, default: own } = (file.blueprint.settings as Exchanging).tokenExchange
    if (!enabled) return []
    return Object.entries({ processorPolicy, accessTokenManager: own.accessTokenManager, generatorGroup: own.generatorGroup })
      .filter(([, named]) => named === undefined)
      .map(([member]) => use(file, ['tokenExchange'], `server.defaults.${member}`, { note: `names no ${member} of its own` }))
  })
}

/** A policy that issues to a generator leads to the groups of that generator, although it does not name them. */
function reachedGroups(parsed: readonly ParsedFile[]): Use[] {
  const generatorsOf = (kind: FolderKind) =>
    parsed
      .filter(({ source }) => source.kind === kind)
      .flatMap(file => findInstances(file.blueprint.settings, Reference).map(([path, reference]) => ({ file, path, reference })))
      .filter(({ reference }) => reference.kind === 'token-generators')
  const groups = groupedBy(generatorsOf('generator-groups'), ({ reference }) => reference.id)
  return generatorsOf('processor-policies').flatMap(({ file, path, reference: { id } }) =>
    (groups.get(id) ?? []).map(group => {
      const note = `issues to ${id}, which is in this group`
      return use(file, path, itemOf(group.file.source), { note, implied: true })
    }),
  )
}
