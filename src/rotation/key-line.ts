import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { ParsedFile } from '../config/parse.ts'
import type { ExternalText, Reference } from '../config/values.ts'
import type { Algorithm } from '../keys/key-pair.ts'

/** A key file in its line. */
export interface KeyOfLine {
  readonly id: string
  readonly file: string
  readonly algorithm: Algorithm
  readonly status: 'next' | 'active' | 'retired'
  readonly replaces: string | undefined
  readonly privateKey: ExternalText
  readonly certificate: ExternalText | undefined
  /** When the file was written last, and so has had its status for; in seconds. */
  readonly since: number
}

interface KeySettings {
  readonly algorithm: Algorithm
  readonly status: KeyOfLine['status']
  readonly replaces?: Reference
  readonly privateKey: ExternalText
  readonly certificate?: ExternalText
}

/** The keys that replace each other with one of that id among them, the newest first; none where there is no such key. */
export function keyLineOf(id: string, parsed: readonly ParsedFile[], folder: string): readonly KeyOfLine[] {
  const keys = new Map(parsed.filter(({ source }) => source.kind === 'keys').map(file => [file.source.id, keyOf(file, folder)]))
  const successors = new Map([...keys.values()].flatMap(key => (key.replaces === undefined ? [] : [[key.replaces, key] as const])))
  const line: KeyOfLine[] = []
  for (let key = keys.get(id); key !== undefined && !line.includes(key); key = successors.get(key.id)) line.unshift(key)
  for (let key = keys.get(line.at(-1)?.replaces ?? ''); key !== undefined && !line.includes(key); key = keys.get(key.replaces ?? ''))
    line.push(key)
  return line
}

function keyOf({ source, blueprint }: ParsedFile, folder: string): KeyOfLine {
  const { algorithm, status, replaces, privateKey, certificate } = blueprint.settings as KeySettings
  const since = statSync(join(folder, source.file)).mtimeMs / 1000
  return { id: source.id, file: source.file, algorithm, status, replaces: replaces?.id, privateKey, certificate, since }
}
