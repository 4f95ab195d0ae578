import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type FolderKind, folders } from './folders.ts'
import { JsonText } from './json-text.ts'
import { memberName, type Problem } from './problems.ts'
import { didYouMean } from './suggest.ts'

/** One file of the configuration. */
export interface SourceFile {
  /** Relative to the configuration folder, with forward slashes. */
  readonly file: string
  readonly kind: FolderKind | 'server'
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

const watchedFolders = ['policies', 'clients', 'keys']

/** Reads every file of the configuration that is in the folder. */
export async function readSources(folder: string): Promise<Sources> {
  const problems: Problem[] = []
  const names = ['server.json', ...(await Promise.all(watchedFolders.map(name => listJsonFiles(folder, name)))).flat()].sort()
  const hash = createHash('sha256')
  const files: SourceFile[] = []
  for (const file of names) {
    const content = readBytes(folder, file)
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
async function listJsonFiles(folder: string, below: string): Promise<string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true, recursive: true }).catch(() => [])
  return entries
    .filter(entry => /\.json[c5]?$/i.test(entry.name) && !entry.isDirectory())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter(name => !name.split('/').some(part => part.startsWith('.')))
}

// Synchronously: a promise for each of ten thousand small files takes ten times as long, and nothing else is done meanwhile.
function readBytes(folder: string, file: string): Buffer | string {
  try {
    return readFileSync(join(folder, file))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (file === 'server.json' && code === 'ENOENT') return 'this file is missing; every configuration starts with it'
    return `the file cannot be read (${code})`
  }
}

/** The file, or what is wrong with it as a whole. */
function sourceOf(file: string, content: Buffer): SourceFile | string {
  const kind = kindOf(file)
  if (typeof kind === 'string') return kind
  if (!isUtf8(content)) return 'the file is not UTF-8'
  return { file, ...kind, text: new JsonText(content.toString('utf8')) }
}

function kindOf(file: string): { kind: SourceFile['kind']; id: string } | string {
  if (file === 'server.json') return { kind: 'server', id: 'server' }
  if (!file.endsWith('.json')) return 'the names of configuration files end in ".json"; this one would not be read'
  const parent = file.slice(0, file.lastIndexOf('/'))
  const id = file.slice(file.lastIndexOf('/') + 1, -'.json'.length)
  const kind = (Object.keys(folders) as FolderKind[]).find(name => folders[name] === parent)
  if (kind === undefined) return strayProblem(parent)
  if (!/^[A-Za-z0-9._~:@+-]{1,128}$/.test(id))
    return 'a file name may have letters, digits and . _ ~ : @ + - only, at most 128, because it is the id'
  return { kind, id }
}

function strayProblem(parent: string): string {
  const above = Object.values(folders).find(folder => parent.startsWith(`${folder}/`))
  if (above !== undefined) return `files stand directly in ${above}/, not in folders below it`
  const lastName = (folder: string) => folder.slice(folder.lastIndexOf('/') + 1)
  const known = new Map(Object.values(folders).map(folder => [lastName(folder), folder]))
  const suggestion = didYouMean(lastName(parent), known.keys())
  return `no kind of file lives in ${parent}/${suggestion || `; there are ${[...known.values()].map(folder => `${folder}/`).join(', ')}`}`
}
