import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { until } from '../stores/until.ts'
import { freePort } from '../support/free-port.ts'
import { SingleProcess } from './single-process.ts'

/** A Redis process that a test has started and may do anything to. */
export interface RealRedis {
  readonly url: string
  readonly port: number
  /** Stops it without ending it: connections stay open, nothing is answered. */
  freeze(): Promise<void>
  thaw(): void
  /** Ends it at once. What it kept is gone. */
  kill(): Promise<void>
  /** Starts it again on the same port after `kill`. */
  start(): Promise<void>
  /** Runs one command in it. */
  command(name: string, ...args: Array<string | number>): Promise<unknown>
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

/** Several Redis processes that belong together. */
export interface RealRedisGroup {
  readonly nodes: readonly string[]
  readonly servers: readonly RealRedis[]
  stop(): Promise<void>
}

const installed = spawnSync('redis-server', ['--version']).status === 0

/** Skips the suite where there is no redis-server to start, and says so; with CAMBIST_REQUIRE_REDIS=1 that is a failure. */
export function requireRedisServer(context: Mocha.Context): void {
  if (!installed) refuse(context, 'there is no redis-server on this machine')
}

/** The same for tests that are content with the server that REDIS_URL names. */
export function requireAnyRedis(context: Mocha.Context): void {
  if (!installed && process.env.REDIS_URL === undefined) refuse(context, 'there is no redis-server on this machine and no REDIS_URL')
}

function refuse(context: Mocha.Context, reason: string): void {
  if (process.env.CAMBIST_REQUIRE_REDIS === '1') throw new Error(`CAMBIST_REQUIRE_REDIS=1, but ${reason}`)
  console.warn(`      SKIPPED, NOT TESTED: ${reason}; install it (apt-get install redis-server) to run these tests`)
  context.skip()
}

/** The URL of a Redis for tests that leave it running: REDIS_URL, or a server started for them. */
export async function anyRedis(): Promise<{ url: string; stop(): Promise<void> }> {
  if (process.env.REDIS_URL !== undefined) return { url: process.env.REDIS_URL, stop: async () => {} }
  return startRedis()
}

/** Starts a Redis on a free port. `settings` are as on its command line: `['--requirepass', 'secret']`. */
export async function startRedis(settings: readonly string[] = []): Promise<RealRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'cambist-redis-'))
  const port = await freePort()
  const everyServer = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = new ServerProcess(port, folder, [...everyServer, ...settings], passwordIn(settings))
  await server.start()
  return server
}

/** Starts a master, its replica and a sentinel that replaces the one by the other within a few seconds. */
export async function startSentinel(name: string): Promise<RealRedisGroup> {
  const servers: RealRedis[] = []
  return orStopAll(servers, async () => {
    const master = await startRedis(['--repl-diskless-sync-delay', '0'])
    servers.push(master)
    const replica = await startRedis(['--replicaof', '127.0.0.1', String(master.port)])
    servers.push(replica)
    const sentinel = await startSentinelOf(name, master, replica)
    servers.push(sentinel)
    await until('the replica has the data of the master', async () =>
      String(await replica.command('info', 'replication')).includes('link_status:up'),
    )
    return [sentinel]
  })
}

async function startSentinelOf(name: string, master: RealRedis, replica: RealRedis): Promise<RealRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'cambist-sentinel-'))
  const port = await freePort()
  const watch = [
    `monitor ${name} 127.0.0.1 ${master.port} 1`,
    // Less, and a busy machine has it replace a master that is well.
    `down-after-milliseconds ${name} 2000`,
    `failover-timeout ${name} 2000`,
    `known-replica ${name} 127.0.0.1 ${replica.port}`,
  ]
  const file = join(folder, 'sentinel.conf')
  await writeFile(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...watch.map(line => `sentinel ${line}`)].join('\n'))
  const sentinel = new ServerProcess(port, folder, [file, '--sentinel'])
  await sentinel.start()
  return sentinel
}

/** Starts three masters that share the keys. */
export async function startCluster(): Promise<RealRedisGroup> {
  const servers: RealRedis[] = []
  return orStopAll(servers, async () => {
    const shares = [[0, 5460] as const, [5461, 10922] as const, [10923, 16383] as const]
    for (const [index, [first, last]] of shares.entries()) {
      const server = await startRedis(['--cluster-enabled', 'yes', '--cluster-node-timeout', '3000'])
      servers.push(server)
      await server.command('cluster', 'set-config-epoch', index + 1)
      await server.command('cluster', 'addslotsrange', first, last)
    }
    for (const server of servers) await servers[0]?.command('cluster', 'meet', '127.0.0.1', server.port)
    for (const server of servers) await until('the cluster is complete', () => isComplete(server))
    return servers
  })
}

async function isComplete(server: RealRedis): Promise<boolean> {
  const info = String(await server.command('cluster', 'info'))
  return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')
}

async function orStopAll(servers: readonly RealRedis[], start: () => Promise<readonly RealRedis[]>): Promise<RealRedisGroup> {
  const stop = async () => {
    await Promise.all(servers.map(server => server.stop()))
  }
  try {
    const entrances = await start()
    return { nodes: entrances.map(({ url }) => url), servers, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

class ServerProcess extends SingleProcess implements RealRedis {
  readonly port: number
  readonly #folder: string
  readonly #arguments: readonly string[]
  readonly #password: string | undefined

  constructor(port: number, folder: string, settings: readonly string[], password?: string) {
    super()
    this.port = port
    this.#folder = folder
    this.#arguments = settings
    this.#password = password
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const started = spawn('redis-server', this.#arguments, { stdio: 'ignore' })
    this.process = started
    // A test that is broken off leaves no server behind.
    const kill = () => started.kill('SIGKILL')
    process.once('exit', kill)
    started.once('exit', () => process.removeListener('exit', kill))
    await until('the server answers', async () => {
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`)
      return (await this.command('ping').catch(() => undefined)) === 'PONG'
    }).catch(error => this.stop().then(() => Promise.reject(error)))
  }

  async command(name: string, ...args: Array<string | number>): Promise<unknown> {
    const client = new Redis(this.port, '127.0.0.1', {
      ...(this.#password === undefined ? {} : { password: this.#password }),
      lazyConnect: true,
      retryStrategy: null,
      enableReadyCheck: false,
      disableClientInfo: true,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      return await client.call(name, ...args)
    } finally {
      client.disconnect()
    }
  }

  async stop(): Promise<void> {
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function passwordIn(settings: readonly string[]): string | undefined {
  const at = settings.indexOf('--requirepass')
  return at < 0 ? undefined : settings[at + 1]
}
