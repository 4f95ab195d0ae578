import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseConfiguration } from '../../src/config/load.ts'
import { readSources } from '../../src/config/read.ts'
import { makeMissingFiles } from '../../src/sample/first-start.ts'
import { type Files, writeFiles } from './configuration.ts'

/** The repository's root: the folder of the sample configuration. */
export const repository = resolve(dirname(import.meta.filename), '../..')

/** The JSON files of the sample configuration, as they are in the repository. */
export async function sampleFiles(): Promise<Files> {
  const folders = [
    'policies/token-processors',
    'policies/processor-policies',
    'policies/access-token-managers',
    'policies/token-generators',
    'policies/generator-groups',
    'policies/idp-connections',
    'policies/tests',
    'clients',
    'keys',
  ]
  const names = await Promise.all(folders.map(async folder => (await readdir(join(repository, folder))).map(name => `${folder}/${name}`)))
  const files = ['server.json', ...names.flat().filter(name => name.endsWith('.json'))]
  return Object.fromEntries(
    await Promise.all(files.map(async name => [name, JSON.parse(await readFile(join(repository, name), 'utf8'))] as const)),
  )
}

/** A folder with the sample configuration after its first start, some of its files changed. */
export async function sampleFolder(changes: Files = {}) {
  const written = await writeFiles({ ...(await sampleFiles()), ...changes })
  const { files } = await parseConfiguration(await readSources(written.folder), written.folder, {})
  await makeMissingFiles(written.folder, files)
  return written
}
