import { randomUUID } from 'node:crypto'
import { link, mkdir, open, realpath, rename, rm, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pino } from 'pino'
import { type FoundText, readExternalText } from '../config/link.ts'
import { buildConfiguration, parseSources } from '../config/load.ts'
import { ConfigError, describe } from '../config/problems.ts'
import { type FoundFile, sourcesOf } from '../config/read.ts'
import type { ExternalText } from '../config/values.ts'
import type { NewFile } from '../keys/key-pair.ts'
import { pluginsFrom } from '../plugins/load-plugins.ts'
import type { PluginFinder } from '../plugins/plugin-package.ts'
import { withoutStore } from '../world.ts'

/** What one step does to the folder, in this order. */
export interface Change {
  /** Files that must not be there yet. */
  readonly created: readonly NewFile[]
  /** New contents of files that are. */
  readonly written: readonly Omit<NewFile, 'mode'>[]
  readonly deleted: readonly string[]
}

/** What would be wrong with the configuration after the change that is not wrong before. Nothing is written. */
export async function problemsCausedBy(change: Change, files: readonly FoundFile[], folder: string, environment: NodeJS.ProcessEnv) {
  const find = (external: ExternalText) => readExternalText(external, folder, environment)
  const findPlugins = pluginsFrom(folder)
  const before = new Set(await problemsOf(files, find, findPlugins))
  const changed = new Map<string, string>([...change.created, ...change.written].map(({ file, content }) => [file, content]))
  const untouched = files.filter(({ file }) => !changed.has(file) && !change.deleted.includes(file))
  const described = [...changed]
    .filter(([file]) => file.endsWith('.json'))
    .map(([file, content]) => ({ file, content: Buffer.from(content) }))
  const after = await problemsOf([...untouched, ...described], external => changed.get(external.name) ?? find(external), findPlugins)
  return after.filter(problem => !before.has(problem))
}

async function problemsOf(
  files: readonly FoundFile[],
  find: (external: ExternalText) => FoundText,
  findPlugins: PluginFinder,
): Promise<readonly string[]> {
  try {
    await buildConfiguration(await parseSources(await sourcesOf(files), find, findPlugins), withoutStore(pino({ level: 'silent' })))
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(describe)
    throw error
  }
}

/**
 * Makes the change. Each file is the old or the new one at every moment, also after a power cut. Between two files a server may look:
 * what it finds is then good, or a mistake that it refuses, so that it serves on as before.
 */
export async function apply({ created, written, deleted }: Change, folder: string): Promise<void> {
  for (const { file, ...more } of created) await write({ path: join(folder, file), ...more }, linkTo)
  for (const { file, content } of written) {
    // Not the link to a file, but the file.
    const path = await realpath(join(folder, file))
    await write({ path, content, mode: (await stat(path)).mode & 0o777 }, rename)
  }
  for (const file of deleted) await rm(join(folder, file))
}

type Place = (draft: string, path: string) => Promise<void>

// Fails where there is such a file already.
async function linkTo(draft: string, path: string): Promise<void> {
  await link(draft, path)
  await unlink(draft)
}

async function write({ path, content, mode }: { path: string; content: string; mode: number }, place: Place): Promise<void> {
  // Hidden, and of no kind that is read.
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
  await mkdir(dirname(path), { recursive: true })
  try {
    const handle = await open(draft, 'wx', mode)
    await handle
      .writeFile(content)
      .then(() => handle.sync())
      .finally(() => handle.close())
    await place(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
