import { pino } from 'pino'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { ConfigError, describe as described } from '../../src/config/problems.ts'
import { readSources } from '../../src/config/read.ts'
import { withoutStore } from '../../src/world.ts'
import { type Files, makeIssuers, usualFiles, writeFiles } from '../support/configuration.ts'

/** What is said of the usual configuration with these files in it: every problem. */
export async function loadFolder(more: Files): Promise<readonly string[]> {
  const { folder, remove } = await writeFiles({ ...(await usualFiles(await makeIssuers())), ...more })
  try {
    await buildConfiguration(await parseConfiguration(await readSources(folder), folder, {}), withoutStore(pino({ level: 'silent' })))
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(described)
  } finally {
    await remove()
  }
}
