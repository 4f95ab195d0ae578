import { createHash } from 'node:crypto'
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
}

/** A snapshot, parsed. */
export interface Reading {
  readonly snapshot: Snapshot
  readonly parsed: Parsed
}

/** Reads a folder, and what its files name. */
export async function readSnapshot(folder: string, environment: NodeJS.ProcessEnv): Promise<Reading> {
  const files = await readFiles(folder)
  const texts = new Map<string, FoundText>()
  const parsed = await parseSources(await sourcesOf(files), external => {
    const name = nameOf(external)
    // Two files that name one secret get one and the same.
    const text = texts.get(name) ?? readExternalText(external, folder, environment)
    texts.set(name, text)
    return text
  })
  return { snapshot: { files, texts }, parsed: { folder, ...parsed } }
}

/** Parses what somebody else has read. */
export async function parseSnapshot({ files, texts }: Snapshot): Promise<Parsed> {
  return parseSources(await sourcesOf(files), external => texts.get(nameOf(external)) ?? { problem: 'it is not in the snapshot' })
}

/** The files beside the configuration's own that it names. */
export function filesNamedBy({ texts }: Snapshot): readonly string[] {
  return [...texts.keys()].filter(name => name.startsWith('file:')).map(name => name.slice('file:'.length))
}

/** A digest of everything, secrets too: for comparing in memory, never to be shown. */
export async function digestOf({ files, texts }: Snapshot): Promise<string> {
  const hash = createHash('sha256')
  const turns = new Turns()
  for (const { file, content } of files) {
    await turns.next()
    hash.update(`${file}\0${typeof content}\0${content.length}\0`).update(content)
  }
  for (const [name, text] of texts) hash.update(`${name}\0${JSON.stringify(text)}\0`)
  return hash.digest('base64')
}

function nameOf({ from, name }: ExternalText): string {
  return `${from}:${name}`
}
