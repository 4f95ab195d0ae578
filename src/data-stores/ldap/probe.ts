import type { Parts } from '../../plugin.ts'
import type { Connection } from './connection.ts'
import type { DirectorySettings } from './directories.ts'
import { openConnection } from './open-connection.ts'
import { rootSearch } from './root-search.ts'

/** Has `cambist check --online` log on to each of the servers and look for the base there. */
export function probeServers(directories: DirectorySettings, { base }: { readonly base: string }, parts: Pick<Parts, 'probe'>): void {
  const { servers, credentials, connectMilliseconds } = directories
  for (const [index, server] of servers.entries()) {
    const run = async () => {
      const connection = await openConnection(server, credentials, connectMilliseconds)
      return await foundOn(connection, base, connectMilliseconds).finally(() => connection.close())
    }
    parts.probe({ path: ['servers', index], what: `the directory ${server.name}`, run })
  }
}

async function foundOn(connection: Connection, base: string, milliseconds: number): Promise<string> {
  const { entries } = await connection.search({ ...rootSearch, base }, AbortSignal.timeout(milliseconds))
  if (entries.length === 0) throw new Error(`${connection.name} shows nothing at ${base}`)
  return `logged on; ${base} is there`
}
