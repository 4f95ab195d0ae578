import { createHash } from 'node:crypto'
import { pluginsFrom } from '../plugins/load-plugins.ts'
import type { PluginFinder, PluginPackage } from '../plugins/plugin-package.ts'
import { type FoundText, readExternalText } from './link.ts'
import { type Parsed, parseSources } from './load.ts'
import { type FoundFile, readFiles, sourcesOf } from './read.ts'
import { Turns } from './turns.ts'
import type { ExternalText } from './values.ts'

/** All that a configuration is made of, as it was at one moment: a value, so that several processes can build the very same. */
export interface Snapshot {
  readonly files: readonly FoundFile[]
  /** The secrets, keys and certificates that the files name. */
  readonly texts: ReadonlyMap<string, FoundText>
  /** The packages of plug-ins, which every process loads by itself. */
  readonly plugins: PluginsOnDisk
}

/** Packages of plug-ins, as their files were. */
export interface PluginsOnDisk {
  /** From where they are found. */
  readonly folder: string
  readonly packages: ReadonlyArray<Pick<PluginPackage, 'name' | 'digest' | 'files'>>
}

/** A snapshot, parsed. */
export interface Reading {
  readonly snapshot: Snapshot
  readonly parsed: Parsed
}

/** Reads a folder, and what its files name. `findPlugins` gives the packages of a server that runs already. */
export async function readSnapshot(
  folder: string,
  environment: NodeJS.ProcessEnv,
  findPlugins: PluginFinder = pluginsFrom(folder),
): Promise<Reading> {
  const files = await readFiles(folder)
  const texts = new Map<string, FoundText>()
  const find = (external: ExternalText) => {
    const name = nameOf(external)
    // Two files that name one secret get one and the same.
    const text = texts.get(name) ?? readExternalText(external, folder, environment)
    texts.set(name, text)
    return text
  }
  const parsed = await parseSources(await sourcesOf(files), find, findPlugins)
  const packages = parsed.plugins.packages.map(({ name, digest, files }) => ({ name, digest, files }))
  return { snapshot: { files, texts, plugins: { folder, packages } }, parsed: { folder, ...parsed } }
}

/** Parses what somebody else has read. */
export async function parseSnapshot({ files, texts }: Snapshot, findPlugins: PluginFinder): Promise<Parsed> {
  const find = (external: ExternalText) => texts.get(nameOf(external)) ?? { problem: 'it is not in the snapshot' }
  return parseSources(await sourcesOf(files), find, findPlugins)
}

/** The files beside the configuration's own that it names. */
export function filesNamedBy({ texts, plugins }: Snapshot): readonly string[] {
  const named = [...texts.keys()].filter(name => name.startsWith('file:')).map(name => name.slice('file:'.length))
  return [...named, ...plugins.packages.flatMap(({ files }) => files)]
}

/** A digest of everything, secrets too: for comparing in memory, never to be shown. */
export async function digestOf({ files, texts, plugins }: Snapshot): Promise<string> {
  const hash = createHash('sha256')
  const turns = new Turns()
  for (const { file, content } of files) {
    await turns.next()
    hash.update(`${file}\0${typeof content}\0${content.length}\0`).update(content)
  }
  for (const [name, text] of texts) hash.update(`${name}\0${JSON.stringify(text)}\0`)
  for (const { name, digest } of plugins.packages) hash.update(`${name}\0${digest}\0`)
  return hash.digest('base64')
}

function nameOf({ from, name }: ExternalText): string {
  return `${from}:${name}`
}
