import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { folders } from './folders.ts'
import type { FoundFile } from './read.ts'

import { nearestName } from './suggest.ts'

/**
 * Finds what stands beside the folders of a configuration and was meant to be in it: `client/orders.json` or `servers.json` would never be
 * read, and a server that starts without its clients is noticed too late.
 */
export async function findStrays(folder: string, watched: readonly string[]): Promise<readonly FoundFile[]> {
  const places = new Map([...Object.values(folders), ...watched].map(place => [place.slice(place.lastIndexOf('/') + 1), place]))
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = (directories: boolean) => entries.filter(entry => entry.isDirectory() === directories).map(({ name }) => name)
  const below = names(true).map(async name => {
    const meant = watched.includes(name) || name.startsWith('.') ? undefined : places.get(nearestName(name, places.keys()) ?? '')
    return meant === undefined ? [] : (await configurationIn(folder, name)).map(file => stray(file, meant))
  })
  const beside = names(false)
    .filter(name => name !== 'server.json' && /\.(json.?|ya?ml)$/i.test(name) && nearestName(name, ['server.json']) !== undefined)
    .map(file => stray(file, 'server.json'))
  return [...(await Promise.all(below)).flat(), ...beside]
}

function stray(file: string, meant: string): FoundFile {
  return { file, content: `this file is not read; did you mean "${meant}"?` }
}

const telling = /"(authentication|tokenExchange|privateKey|issuers|processors|contract|generators|accessTokenManagers)"\s*:/

// Somebody else's `client/package.json` is none of our business.
async function configurationIn(folder: string, name: string): Promise<string[]> {
  const entries = await readdir(join(folder, name), { withFileTypes: true, recursive: true }).catch(() => [])
  return entries
    .filter(
      entry => entry.isFile() && entry.name.endsWith('.json') && telling.test(readFileSync(join(entry.parentPath, entry.name), 'utf8')),
    )
    .map(entry => `${name}${entry.parentPath.slice(join(folder, name).length)}/${entry.name}`.replaceAll('\\', '/'))
}
