import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { ConfigError, describe } from '../../src/config/problems.ts'
import { readSources } from '../../src/config/read.ts'
import { makeMissingFiles } from '../../src/sample/first-start.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { repository } from '../support/sample.ts'
import { type Texts, writeFolder } from './configuration.ts'

/** The sample configuration as it stands in the repository, letter by letter, with what its first start makes. */
export async function sampleTexts(): Promise<Texts> {
  const names = ['policies', 'clients', 'keys'].flatMap(folder => filesIn(repository, folder).filter(name => name.endsWith('.json')))
  const shipped = Object.fromEntries(['server.json', ...names].map(name => [name, readFileSync(join(repository, name))]))
  const { folder, remove } = writeFolder(shipped)
  try {
    const { files } = await parseConfiguration(await readSources(folder), folder, {})
    await makeMissingFiles(folder, files)
    return Object.fromEntries(
      ['server.json', 'policies', 'clients', 'keys']
        .flatMap(name => filesIn(folder, name))
        .map(name => [name, readFileSync(join(folder, name))]),
    )
  } finally {
    remove()
  }
}

function filesIn(folder: string, name: string): string[] {
  if (name.endsWith('.json')) return [name]
  return readdirSync(join(folder, name), { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory() ? filesIn(folder, `${name}/${entry.name}`) : [`${name}/${entry.name}`],
  )
}

/** A folder in which one mistake after the other is made, found and mended again. */
export class SampleFolder {
  readonly folder: string
  readonly remove: () => void
  readonly #texts: Texts

  constructor(texts: Texts) {
    const { folder, remove } = writeFolder(texts)
    this.folder = folder
    this.remove = remove
    this.#texts = texts
  }

  /** Every problem with these files in the place of those that are there; undefined takes one away. The server would not start. */
  async problemsWith(changes: Texts): Promise<string[]> {
    return this.problemsAfter(() => {
      for (const [name, text] of Object.entries(changes)) this.#write(name, text)
    }, Object.keys(changes))
  }

  /** Every problem after whatever somebody does to these files. */
  async problemsAfter(change: (folder: string) => void, names: readonly string[]): Promise<string[]> {
    try {
      change(this.folder)
      return await problemsIn(this.folder)
    } finally {
      for (const name of names) {
        rmSync(join(this.folder, name), { recursive: true, force: true })
        this.#write(name, this.#texts[name])
      }
    }
  }

  #write(name: string, text: Texts[string]): void {
    const path = join(this.folder, name)
    if (text === undefined) return rmSync(path, { force: true })
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}

async function problemsIn(folder: string): Promise<string[]> {
  const now = () => Date.now() / 1000
  const fetch = () => Promise.reject(new Error('nothing is fetched here'))
  const outside = { effects: undefined, fetch, now, store: memoryStore(now), log: pino({ level: 'silent' }), random: randomBytes }
  try {
    await buildConfiguration(await parseConfiguration(await readSources(folder), folder, {}), outside)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(describe)
    throw error
  }
}
