import { once } from 'node:events'
import type { Cluster, Redis, RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import { drivers } from '../drivers.ts'
import { Outage } from '../oauth/errors.ts'
import type { Store } from './store.ts'
import { within } from './within.ts'

/** Where Redis is and how this server logs on to it. Addresses are `redis://` or, for TLS, `rediss://` URLs. */
export type RedisSettings = RedisServers & {
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** What every key starts with. */
  readonly keyPrefix?: string | undefined
}

/** One server, the nodes of a cluster, or the sentinels that know the master of a name. */
export type RedisServers = { readonly url: string } | { readonly cluster: readonly string[] } | { readonly sentinel: Sentinels }

/** The servers that know which Redis is the master, and their own password. */
export interface Sentinels {
  readonly name: string
  readonly nodes: readonly string[]
  readonly password?: string | undefined
}

/** A store in Redis, for several machines. It connects in the background, and again for as long as it takes. */
export interface RedisStore extends Store {
  /** Resolves when Redis was reached, or at the latest after a command's time. */
  connected(): Promise<void>
}

const commandTime = 1_000

/** Opens a store in Redis (6.2 or later). */
export function redisStore(settings: RedisSettings, log: Logger): RedisStore {
  return new ConnectedRedisStore(connect(settings), settings.keyPrefix ?? 'cambist:', log)
}

class ConnectedRedisStore implements RedisStore {
  readonly #client: Redis | Cluster
  readonly #prefix: string
  readonly #log: Logger
  #reachable = true
  #policyChecked = false
  #closed = false

  constructor(client: Redis | Cluster, prefix: string, log: Logger) {
    this.#client = client
    this.#prefix = prefix
    this.#log = log
    client.on('error', error => this.#lost(error))
    client.on('close', () => this.#lost(undefined))
    client.on('ready', () => this.#found())
  }

  async put(key: string, value: string, seconds: number): Promise<void> {
    await this.#ask(client => client.set(this.#prefix + key, value, 'EX', atMost(seconds)))
  }

  async putIfAbsent(key: string, value: string, seconds: number): Promise<boolean> {
    return (await this.#ask(client => client.set(this.#prefix + key, value, 'EX', atMost(seconds), 'NX'))) === 'OK'
  }

  async increment(key: string, seconds: number): Promise<number> {
    const name = this.#prefix + key
    // In one transaction: a counter that was made without an expiry would lock somebody out for ever.
    const replies = await this.#ask(client => client.multi().set(name, 0, 'EX', atMost(seconds), 'NX').incr(name).exec())
    const [error, count] = replies?.[1] ?? [new Error('the transaction was discarded')]
    if (error !== null) throw outage(error)
    return Number(count)
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#ask(client => client.get(this.#prefix + key))) ?? undefined
  }

  async take(key: string): Promise<string | undefined> {
    return (await this.#ask(client => client.getdel(this.#prefix + key))) ?? undefined
  }

  async delete(key: string): Promise<void> {
    await this.#ask(client => client.del(this.#prefix + key))
  }

  async ping(): Promise<void> {
    // A key is asked for, since a cluster may answer PING and have no node for any key.
    await this.get('ping')
  }

  async connected(): Promise<void> {
    await within(commandTime, 'Redis', this.#ready()).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#client.disconnect()
  }

  async #ready(): Promise<void> {
    if (this.#client.status !== 'ready') await once(this.#client, 'ready')
    await Promise.all(this.#masters().map(node => (node.status === 'ready' ? undefined : once(node, 'ready'))))
  }

  #masters(): Redis[] {
    return 'nodes' in this.#client ? this.#client.nodes('master') : [this.#client]
  }

  async #ask<Reply>(command: (client: Redis | Cluster) => Promise<Reply>): Promise<Reply> {
    try {
      return await within(commandTime, 'Redis', command(this.#client))
    } catch (error) {
      throw error instanceof Outage ? error : outage(error)
    }
  }

  #lost(error: Error | undefined): void {
    if (!this.#reachable || this.#closed) return
    this.#reachable = false
    this.#log.warn({ cause: error === undefined ? 'the connection was closed' : describe(error) }, 'Redis cannot be reached')
  }

  #found(): void {
    if (!this.#reachable) this.#log.info('Redis can be reached again')
    this.#reachable = true
    if (this.#policyChecked) return
    this.#policyChecked = true
    this.#checkPolicy().catch(() => undefined)
  }

  // Redis that evicts forgets revocations and tokens used once. Where CONFIG is forbidden, as it is by most providers, nothing is known.
  async #checkPolicy(): Promise<void> {
    const answers = await Promise.all(this.#masters().map(node => node.config('GET', 'maxmemory-policy')))
    const policies = (answers as unknown[][]).map(answer => String(answer[1]))
    const evicting = policies.find(policy => policy !== 'noeviction')
    if (evicting === undefined) return
    this.#log.warn({ policy: evicting }, 'Redis may evict what it must keep: set its maxmemory-policy to noeviction')
  }
}

function connect(settings: RedisSettings): Redis | Cluster {
  if ('url' in settings) return new drivers.redis.Redis({ ...parseUrl(settings.url), ...logOn(settings), ...patience, ...oneServer })
  if ('cluster' in settings) return connectToCluster(settings.cluster, logOn(settings))
  return connectThroughSentinels(settings.sentinel, logOn(settings))
}

function connectToCluster(nodes: readonly string[], user: LogOn): Cluster {
  const encrypted = isEncrypted(nodes)
  const cluster = new drivers.redis.Cluster(
    nodes.map(node => hostAndPort(node, 6379)),
    {
      enableAutoPipelining: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: delay,
      // It asks any node, also one that is not connected yet, and starts from the beginning when that fails.
      enableReadyCheck: false,
      slotsRefreshTimeout: commandTime,
      slotsRefreshInterval: 1_000,
      // Zero: no command is sent again after its connection was lost.
      retryDelayOnFailover: 0,
      redisOptions: { ...user, ...patience, ...(encrypted ? { tls: {} } : {}) },
      // A certificate is made out to a name, which must not be replaced by its address before it is compared.
      ...(encrypted ? { dnsLookup: (name, answer) => answer(null, name) } : {}),
    },
  )
  // By itself the library connects to a node for the first command, and refuses all others until it is connected.
  return cluster.on('+node', (node: Redis) => node.connect().catch(() => undefined))
}

function connectThroughSentinels({ name, nodes, password }: Sentinels, user: LogOn): Redis {
  return new drivers.redis.Redis({
    ...user,
    ...patience,
    ...oneServer,
    name,
    sentinels: nodes.map(node => hostAndPort(node, 26379)),
    sentinelCommandTimeout: commandTime,
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(isEncrypted(nodes) ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  })
}

const patience = {
  connectTimeout: commandTime,
  // A server that hangs is given up, so that its replacement is looked for.
  socketTimeout: commandTime,
  // A command whose answer was lost is never sent again: it may have been carried out, and "put if absent" would then say no.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
} satisfies RedisOptions

const oneServer = {
  enableAutoPipelining: true,
  enableOfflineQueue: false,
  retryStrategy: delay,
  // A master that was demoted answers so until somebody connects to the new one.
  reconnectOnError: error => error.message.startsWith('READONLY'),
} satisfies RedisOptions

interface LogOn {
  readonly username?: string
  readonly password?: string
}

function logOn({ username, password }: RedisSettings): LogOn {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) }
}

// The library's own parser reads `redis://user@host` as a user with an empty password, which nothing beside the URL can then replace.
function parseUrl(url: string) {
  const { username, password, pathname } = new URL(url)
  return {
    ...hostAndPort(url, 6379),
    db: Number(pathname.slice(1)),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(isEncrypted([url]) ? { tls: {} } : {}),
  } satisfies RedisOptions
}

function delay(attempt: number): number {
  return Math.min(50 * 2 ** attempt, 1_000) + Math.random() * 100
}

function isEncrypted(urls: readonly string[]): boolean {
  return urls.some(url => url.startsWith('rediss:'))
}

function hostAndPort(url: string, usualPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usualPort : Number(port) }
}

// A foreign token may say that it ends when the sun has; Redis takes no such number.
function atMost(seconds: number): number {
  return Math.min(seconds, 10_000_000_000)
}

function outage(error: unknown): Outage {
  return new Outage('Redis cannot be used', new Error(describe(error)))
}

// The library's errors carry the whole command, and Redis repeats the beginning of one that it does not know.
function describe(error: unknown): string {
  return error instanceof Error ? error.message.replace(/, with args beginning with:.*/s, '') : 'unknown'
}
