import type { FolderKind } from '../config/folders.ts'
import { didYouMean } from '../config/suggest.ts'
import type { DefinedKind, PluginKind } from '../plugin.ts'
import { kindProblem } from './checked-kind.ts'
import { guardedKind } from './guarded-kind.ts'
import type { PluginKinds } from './plugin-package.ts'

/** The version of what plug-ins and server expect of each other. */
export const pluginApiVersion = 1

const folderOf: Readonly<Record<string, FolderKind>> = {
  tokenProcessors: 'token-processors',
  tokenGenerators: 'token-generators',
  accessTokenManagers: 'access-token-managers',
  dataStores: 'data-stores',
}
const known = ['apiVersion', ...Object.keys(folderOf)]
/** What Node adds to a module that was written for `require`. */
const addedByNode = ['default', 'module.exports', '__esModule']

/** The kinds of plug-in that a module exports, behind their border; or what is wrong with it. */
export function kindsExportedBy(module: object, name: string): PluginKinds | string {
  const exported = Object.entries(module).filter(([member]) => !addedByNode.includes(member))
  const version = exported.find(([member]) => member === 'apiVersion')?.[1]
  const lists = exported.filter(([member]) => member !== 'apiVersion')
  const stranger = lists.find(([member]) => !Object.hasOwn(folderOf, member))?.[0]
  if (stranger !== undefined) return `exports "${stranger}", which means nothing here${didYouMean(stranger, known) || `; ${expected}`}`
  if (lists.length === 0) return `exports no plug-ins; ${expected}`
  if (version !== pluginApiVersion) return versionProblem(version)
  const kinds: Partial<Record<FolderKind, readonly PluginKind<unknown>[]>> = {}
  for (const [member, list] of lists) {
    const problem = listProblem(member, list)
    if (problem !== undefined) return problem
    const folder = folderOf[member] as FolderKind
    kinds[folder] = (list as readonly DefinedKind<unknown>[]).map(kind => guardedKind(kind, { from: name, folder }))
  }
  return kinds
}

const expected = `expected lists named ${Object.keys(folderOf).join(', ')}`

function versionProblem(version: unknown): string {
  const here = `this cambist has version ${pluginApiVersion} of the plug-in API`
  if (version === undefined) return `exports no apiVersion: write "export const apiVersion = ${pluginApiVersion}"`
  if (!Number.isInteger(version)) return `exports an apiVersion that is no whole number; ${here}`
  return `was written for version ${version} of the plug-in API; ${here}`
}

function listProblem(member: string, list: unknown): string | undefined {
  if (!Array.isArray(list) || list.length === 0) return `exports "${member}", which is no list of plug-ins`
  const types = new Set<string>()
  for (const [index, kind] of list.entries()) {
    const problem = kindProblem(kind, folderOf[member] as FolderKind)
    if (problem !== undefined) return `${member}[${index}] ${problem}`
    if (types.has(kind.type)) return `${member}[${index}] has the type "${kind.type}", which another one of the list has already`
    types.add(kind.type)
  }
  return undefined
}

/** Every type of these kinds, with its folder. */
export function typesOf(kinds: PluginKinds): ReadonlyArray<readonly [FolderKind, string]> {
  return Object.entries(kinds).flatMap(([folder, list]) => list.map(({ type }) => [folder as FolderKind, type] as const))
}
