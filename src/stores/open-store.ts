import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import { didYouMean } from '../config/suggest.ts'
import { ExternalText, externalText, strict } from '../config/values.ts'
import type { Instant } from '../outside.ts'
import { type Probe, SettingProblem } from '../plugin.ts'
import { embeddedStore } from './embedded.ts'
import { memoryStore } from './memory.ts'
import { type RedisServers, redisStore } from './redis.ts'
import type { Store } from './store.ts'

const noRedisAddress = 'expected an address such as "redis://host:6379", or "rediss://host:6379" for TLS'

const address = z
  .string()
  .refine(isRedisAddress, noRedisAddress)
  .refine(
    text => !isRedisAddress(text) || new URL(text).password === '',
    'a password never stands in the configuration itself: write it as "password": { "env": "NAME" } or { "file": "path" } beside the address',
  )

const node = address.refine(text => !isRedisAddress(text) || /^\/?$/.test(new URL(text).pathname), 'a node has a host and a port only')

const typeDescription = 'Where it is kept: "embedded", "redis" or "memory"'

const embedded = strict({
  type: z.literal('embedded').meta({ description: typeDescription }),
  path: z
    .string()
    .min(1)
    .refine(
      path => !/^(\.\/)?(policies|clients|keys|schemas)(\/|$)/.test(path) && !/^(\.|\/|\.\/)$/.test(path),
      'the store needs a folder of its own, not one that files of the configuration stand in',
    )
    .default('data')
    .meta({ description: 'The folder, relative to the configuration folder' }),
}).meta({ description: 'On disk, durable, without a server: for one machine' })

const redis = strict({
  type: z.literal('redis').meta({ description: typeDescription }),
  url: z.union([address, externalText]).optional().meta({ description: 'One server: redis://host:6379/0, or rediss:// for TLS' }),
  cluster: z.array(node).min(1).optional().meta({ description: 'Some nodes of a Redis Cluster' }),
  sentinel: strict({
    name: z.string().min(1).meta({ description: 'The name under which the sentinels know the master' }),
    nodes: z.array(node).min(1).meta({ description: 'Some of the sentinels' }),
    password: externalText.optional().meta({ description: 'The password of the sentinels themselves' }),
  })
    .optional()
    .meta({ description: 'The sentinels that know which server is the master' }),
  username: z.string().min(1).optional().meta({ description: 'The user of the ACL of Redis; absent: the default user' }),
  password: externalText.optional().meta({ description: 'The password of the user, or of the server' }),
  keyPrefix: z.string().default('cambist:').meta({ description: 'What every key starts with' }),
})
  .refine(({ url, cluster, sentinel }) => [url, cluster, sentinel].filter(Boolean).length === 1, {
    error: 'expected exactly one of "url", "cluster" and "sentinel"',
  })
  .meta({ description: 'Redis 6.2 or later: for several machines' })

const memory = strict({ type: z.literal('memory').meta({ description: typeDescription }) }).meta({
  description: 'Gone with the process: for tests',
})

/** The member `store` of `server.json`: where tokens, revocations and counters are kept. */
export const storeSettings = z
  .discriminatedUnion('type', [embedded, redis, memory], {
    error: issue => (issue.code === 'invalid_union' ? unknownType(issue.input) : undefined),
  })
  .prefault({ type: 'embedded' })

/** Where tokens, revocations and counters are kept, parsed. */
export type StoreSettings = z.output<typeof storeSettings>

/** What opening a store needs of the outside world. */
export interface StoreSurroundings {
  /** The content of a secret that the settings name. */
  text(external: ExternalText): string
  readonly now: () => Instant
  readonly log: Logger
  /** The folder that paths are relative to. */
  readonly baseFolder: string
}

/** Opens the store that the settings describe. One that cannot be reached yet is waited for a moment, and opened all the same. */
export async function openStore(settings: StoreSettings, { text, now, log, baseFolder }: StoreSurroundings): Promise<Store> {
  switch (settings.type) {
    case 'embedded':
      return embeddedStore(resolve(baseFolder, settings.path), now)
    case 'memory':
      return memoryStore(now)
    case 'redis': {
      const { username, keyPrefix } = settings
      const password = settings.password && text(settings.password)
      const store = redisStore({ ...redisServers(settings, text), username, password, keyPrefix }, log)
      await store.connected()
      return store
    }
  }
}

/** What is wrong with what the settings name outside of the configuration; undefined when nothing is. */
export function problemOfStore(settings: StoreSettings, text: StoreSurroundings['text']): SettingProblem | undefined {
  try {
    if (settings.type === 'redis') redisServers(settings, text)
    return undefined
  } catch (error) {
    if (error instanceof SettingProblem) return error
    throw error
  }
}

/** Asks whether the store can be reached, where that is another server. The embedded one belongs to whoever has it open. */
export function storeProbe(settings: StoreSettings, surroundings: StoreSurroundings): Probe | undefined {
  if (settings.type !== 'redis') return undefined
  return {
    path: ['store'],
    what: 'the store',
    async run() {
      const store = await openStore(settings, surroundings)
      try {
        await store.ping()
        return 'it answers'
      } finally {
        await store.close()
      }
    },
  }
}

function redisServers({ url, cluster, sentinel }: z.output<typeof redis>, text: StoreSurroundings['text']): RedisServers {
  if (cluster !== undefined) return { cluster }
  if (sentinel !== undefined) return { sentinel: { ...sentinel, password: sentinel.password && text(sentinel.password) } }
  const resolved = url instanceof ExternalText ? text(url) : (url ?? '')
  if (!isRedisAddress(resolved)) throw new SettingProblem(['store', 'url'], noRedisAddress)
  return { url: resolved }
}

function isRedisAddress(text: string): boolean {
  if (!/^rediss?:/.test(text) || !URL.canParse(text)) return false
  const { hostname, pathname, search, hash } = new URL(text)
  return hostname !== '' && /^(\/[0-9]*)?$/.test(pathname) && search === '' && hash === ''
}

function unknownType(found: unknown): string {
  const types = ['embedded', 'redis', 'memory']
  const type = typeof found === 'object' && found !== null && 'type' in found ? found.type : undefined
  return `expected one of "embedded", "redis" and "memory"${typeof type === 'string' ? didYouMean(type, types) : ''}`
}
