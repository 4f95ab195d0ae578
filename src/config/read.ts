import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type FolderKind, folders } from './folders.ts'
import { JsonText } from './json-text.ts'
import type { Problem } from './problems.ts'
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
  for (const [name, text] of await Promise.all(names.map(async file => [file, await readText(folder, file)] as const))) {
    const place = { file: name, line: 1, column: 1, member: '' }
    if (text === undefined) {
      problems.push({
        place,
        message: name === 'server.json' ? 'this file is missing; every configuration starts with it' : 'the file cannot be read',
      })
      continue
    }
    hash.update(`${name}\0${text.length}\0${text}`)
    const kind = kindOf(name)
    if (typeof kind === 'string') problems.push({ place, message: kind })
    else files.push({ file: name, ...kind, text: new JsonText(text) })
  }
  for (const { file, text } of files) {
    problems.push(
      ...text.mistakes.map(({ path, position, message }) => ({ place: { file, ...position, member: path.join('.') }, message })),
    )
  }
  return { files, version: hash.digest('hex').slice(0, 16), problems }
}

async function listJsonFiles(folder: string, below: string): Promise<string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true, recursive: true }).catch(() => [])
  return entries
    .filter(entry => entry.name.endsWith('.json') && !entry.isDirectory())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter(name => !name.split('/').some(part => part.startsWith('.')))
}

async function readText(folder: string, file: string): Promise<string | undefined> {
  return readFile(join(folder, file), 'utf8').catch(() => undefined)
}

function kindOf(file: string): { kind: SourceFile['kind']; id: string } | string {
  if (file === 'server.json') return { kind: 'server', id: 'server' }
  const parent = file.slice(0, file.lastIndexOf('/'))
  const id = file.slice(file.lastIndexOf('/') + 1, -'.json'.length)
  const kind = (Object.keys(folders) as FolderKind[]).find(name => folders[name] === parent)
  if (kind === undefined) return `no kind of file lives in the folder ${parent}/${didYouMean(parent, Object.values(folders))}`
  if (!/^[A-Za-z0-9._~:@+-]{1,128}$/.test(id)) return 'a file name may have letters, digits and . _ ~ : @ + - only, because it is the id'
  return { kind, id }
}
