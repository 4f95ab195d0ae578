import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The files of a package that Node may load, without those of the packages that it brings along. */
export async function codeFilesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const lists = entries.map(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name.startsWith('.') ? [] : codeFilesOf(path)
    return /\.(?:[cm]?[jt]s|json|node|wasm)$/.test(entry.name) ? [path] : []
  })
  return (await Promise.all(lists)).flat().sort()
}

/** A digest of files; one that is gone counts as well. */
export async function digestOfFiles(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) {
    const content = await readFile(file).catch(() => undefined)
    hash.update(`${file}\0${content?.length}\0`).update(content ?? '')
  }
  return hash.digest('base64')
}
