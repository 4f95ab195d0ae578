import { pino } from 'pino'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { readSources } from '../../src/config/read.ts'
import { withStandIns } from '../../src/config/stand-ins.ts'
import { pooledRandom } from '../../src/pooled-random.ts'
import type { Server } from '../../src/server.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const now = () => Date.now() / 1000

/** The server of a configuration folder. What is not there is stood in for; nobody is ever asked anything. */
export async function serverOf(folder: string): Promise<Server> {
  const { parsed } = await withStandIns(await parseConfiguration(await readSources(folder), folder, {}))
  const fetch = () => Promise.reject(new Error('nobody is asked here'))
  const outside = { fetch, effects: undefined, now, store: memoryStore(now), log: pino({ level: 'silent' }), random: pooledRandom() }
  return (await buildConfiguration(parsed, outside)).server
}
