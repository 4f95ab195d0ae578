import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type FolderKind, folders, testsFolder } from './folders.ts'
import { JsonText } from './json-text.ts'
import { memberName, type Problem } from './problems.ts'
import { findStrays } from './strays.ts'
import { didYouMean } from './suggest.ts'
import { Turns } from './turns.ts'

/** One file of the configuration. */
export interface SourceFile {
  /** Relative to the configuration folder, with forward slashes. */
  readonly file: string
  readonly kind: FolderKind | 'server' | 'tests'
  readonly id: string
  readonly text: JsonText
}

/** All files of a configuration folder as they were at one moment. */
export interface Sources {
  readonly files: readonly SourceFile[]
  /** A hash over the names and contents of all files; stands in every audit record. */
  readonly version: string
  readonly problems: readonly Problem[]
}

/** A file, or a folder, as it was found. */
export interface FoundFile {
  /** Relative to the configuration folder, with forward slashes. */
  readonly file: string
  /** Its bytes, or why there are none. */
  readonly content: Uint8Array | string
}

const watchedFolders = ['policies', 'clients', 'keys']

/** Reads every file of the configuration that is in the folder, which policy tests are none of. */
export async function readSources(folder: string): Promise<Sources> {
  return sourcesOf(await readFiles(folder))
}

/** Reads the policy tests of the folder. */
export async function readTests(folder: string): Promise<Sources> {
  const names = await listJsonFiles(folder, testsFolder)
  return sourcesOf(await readAll(folder, 'content' in names ? { names: [], unreadable: [names] } : { names: names.sort(), unreadable: [] }))
}

/** The bytes of every file of the configuration that is in the folder. */
export async function readFiles(folder: string): Promise<readonly FoundFile[]> {
  return readAll(folder, await listFiles(folder))
}

type ListedFiles = Awaited<ReturnType<typeof listFiles>>

async function readAll(folder: string, { names, unreadable }: ListedFiles): Promise<readonly FoundFile[]> {
  const turns = new Turns()
  const files: FoundFile[] = [...unreadable]
  for (const file of names) {
    await turns.next()
    files.push({ file, content: readBytes(folder, file) })
  }
  return files
}

/** The names of the files of the configuration, in order, and what cannot be read: folders, and what stands beside them. */
export async function listFiles(folder: string): Promise<{ names: readonly string[]; unreadable: readonly FoundFile[] }> {
  const lists = await Promise.all(watchedFolders.map(name => listJsonFiles(folder, name)))
  const strays = await findStrays(folder, watchedFolders)
  return {
    names: [
      'server.json',
      ...lists.flatMap(list => ('content' in list ? [] : list)).filter(name => !name.startsWith(`${testsFolder}/`)),
    ].sort(),
    unreadable: [...lists.filter(list => 'content' in list), ...strays],
  }
}

/** The JSON of files, whose bytes were read before. */
export async function sourcesOf(found: readonly FoundFile[]): Promise<Sources> {
  const problems: Problem[] = []
  const hash = createHash('sha256')
  const files: SourceFile[] = []
  const turns = new Turns()
  for (const { file, content } of found) {
    await turns.next()
    const read = typeof content === 'string' ? content : sourceOf(file, content)
    if (typeof content !== 'string') hash.update(`${file}\0${content.length}\0`).update(content)
    if (typeof read === 'string') problems.push({ place: { file, line: 1, column: 1, member: '' }, message: read })
    else files.push(read)
  }
  for (const { file, text } of files) {
    problems.push(
      ...text.mistakes.map(({ path, position, message }) => ({ place: { file, ...position, member: memberName(path) }, message })),
    )
  }
  return { files, version: hash.digest('hex').slice(0, 16), problems }
}

// Others than .json are listed so that they can be refused: a policy that is not read because of its name is missed too late.
async function listJsonFiles(folder: string, below: string): Promise<string[] | FoundFile> {
  const root = resolve(folder)
  try {
    const entries = await readdir(join(root, below), { withFileTypes: true, recursive: true })
    const names: string[] = []
    const turns = new Turns()
    for (const entry of entries) {
      await turns.next()
      if (!/\.(json[c5]?|jsn|hjson|ya?ml|toml)$/i.test(entry.name)) continue
      // Every path begins with that of the folder; to work out what it is relative to it takes ten times as long.
      const name = join(entry.parentPath, entry.name).slice(join(root, '/').length).replaceAll('\\', '/')
      if (!name.split('/').some(part => part.startsWith('.'))) names.push(name)
    }
    return names
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A folder that cannot be read is not one without files: all clients would be gone, and that without a mistake.
    return code === 'ENOENT' ? [] : { file: below, content: `the folder cannot be read (${code})` }
  }
}

// Synchronously: a promise for each of ten thousand small files takes ten times as long.
function readBytes(folder: string, file: string): Buffer | string {
  try {
    const path = join(folder, file)
    // Reading a pipe or a device would never end, and nothing be answered meanwhile.
    if (!statSync(path).isFile()) return 'this is no file'
    return readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (file === 'server.json' && code === 'ENOENT') return 'this file is missing; every configuration starts with it'
    return `the file cannot be read (${code})`
  }
}

/** The file, or what is wrong with it as a whole. */
function sourceOf(file: string, content: Uint8Array): SourceFile | string {
  const kind = kindOf(file)
  if (typeof kind === 'string') return kind
  if (!isUtf8(content)) return 'the file is not UTF-8'
  return { file, ...kind, text: new JsonText(Buffer.from(content.buffer, content.byteOffset, content.length).toString('utf8')) }
}

function kindOf(file: string): { kind: SourceFile['kind']; id: string } | string {
  if (file === 'server.json') return { kind: 'server', id: 'server' }
  if (!file.endsWith('.json')) return 'the names of configuration files end in ".json"; this one would not be read'
  const parent = file.slice(0, file.lastIndexOf('/'))
  const id = file.slice(file.lastIndexOf('/') + 1, -'.json'.length)
  const kind = (Object.keys(everyFolder) as Array<keyof typeof everyFolder>).find(name => everyFolder[name] === parent)
  if (kind === undefined) return strayProblem(parent)
  if (!/^[A-Za-z0-9._~:@+-]{1,128}$/.test(id))
    return 'a file name may have letters, digits and . _ ~ : @ + - only, at most 128, because it is the id'
  return { kind, id }
}

const everyFolder = { ...folders, tests: testsFolder }

function strayProblem(parent: string): string {
  const above = Object.values(everyFolder).find(folder => parent.startsWith(`${folder}/`))
  if (above !== undefined) return `files stand directly in ${above}/, not in folders below it`
  const lastName = (folder: string) => folder.slice(folder.lastIndexOf('/') + 1)
  const known = new Map(Object.values(everyFolder).map(folder => [lastName(folder), folder]))
  const suggestion = didYouMean(lastName(parent), known.keys())
  return `no kind of file lives in ${parent}/${suggestion || `; there are ${[...known.values()].map(folder => `${folder}/`).join(', ')}`}`
}
