import { createHash } from 'node:crypto'
import { type Stats, stat } from 'node:fs'
import { resolve } from 'node:path'
import { listFiles } from '../config/read.ts'

const together = 64

/**
 * How the files of a configuration look from outside: another text as soon as one of them has changed, came or went. Nothing is read,
 * so that it can be asked every few seconds, also of ten thousand files. `others` are files that the configuration names.
 */
export async function fingerprintOf(folder: string, others: readonly string[]): Promise<string> {
  const { names, unreadable } = await listFiles(folder)
  const files = [...names, ...others]
  const hash = createHash('sha256').update(JSON.stringify(unreadable))
  for (let from = 0; from < files.length; from += together) {
    const group = files.slice(from, from + together)
    const looks = await Promise.all(group.map(file => lookOf(resolve(folder, file))))
    hash.update(group.map((file, index) => `${file}\0${looks[index]}\0`).join(''))
  }
  return hash.digest('base64')
}

// By callback: promises cost twice as much, and there is one for each file. Links are followed, since Kubernetes changes where they lead.
function lookOf(path: string): Promise<string> {
  return new Promise(done => stat(path, (error, found) => done(error === null ? describe(found) : String(error.code))))
}

function describe({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`
}
