import type { FolderKind } from '../config/folders.ts'
import type { PluginKind } from '../plugin.ts'

/** The kinds of plug-in that live in each folder. */
export type PluginKinds = Readonly<Partial<Record<FolderKind, readonly PluginKind<unknown>[]>>>

/** A package of plug-ins that was loaded. */
export interface PluginPackage {
  /** As `plugins` of `server.json` names it. */
  readonly name: string
  readonly version: string
  readonly kinds: PluginKinds
  /** The files of its code, with their whole paths. */
  readonly files: readonly string[]
  /** Of the contents of these files. */
  readonly digest: string
}

/** What became of the `plugins` of `server.json`. */
export interface Plugins {
  readonly packages: readonly PluginPackage[]
  /** What is wrong with packages, by their names. */
  readonly problems: ReadonlyArray<{ readonly name: string; readonly message: string }>
  /** Packages that were named after the start: they are loaded at the next one. */
  readonly waiting: readonly string[]
}

/** Gives the packages of a list of names. */
export type PluginFinder = (names: readonly string[]) => Promise<Plugins>

/** A configuration that names no packages. */
export const noPlugins: Plugins = { packages: [], problems: [], waiting: [] }
