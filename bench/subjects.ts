import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../test/support/free-port.ts'
import { pathOf } from './bare/operations.ts'
import { writeCambistFolder } from './cambist-folder.ts'
import type { LoadFigures, LoadOrder, Wire } from './load.ts'
import type { LookupSource } from './lookup-sources.ts'
import { machineTime } from './machine-time.ts'
import { type BenchClient, type Exchange, makeClients } from './material.ts'
import { probe } from './probe.ts'
import { answering, ask, type Cores, listening, type Started, start, startScript, withChildren } from './processes.ts'
import { makeRequests } from './requests.ts'
import type { SizeOrder } from './sizes.ts'

/** Where a run keeps its files, and who makes the load. */
export interface Bench {
  readonly folder: string
  readonly keys: string
  readonly load: Started
  readonly loadOnAllCores: Started
  readonly connections: number
  /** Where this server writes a profile of its CPU time. */
  readonly profile: string | undefined
}

/** Something that is measured. */
export interface Subject {
  readonly name: string
  start(bench: Bench, exchange: Exchange): Promise<Running>
}

/** A subject that runs. */
export interface Running {
  measure(settle: number, seconds: number): Promise<LoadFigures>
  stop(): Promise<void>
}

/** How a cambist is set up. */
export interface CambistOptions {
  readonly name?: string
  /** The folder of the build that is started: this one, or another checkout to compare with. */
  readonly checkout?: string
  readonly clients?: number
  readonly policies?: number
  readonly store?: object
  readonly workers?: number
  readonly cores?: Cores
  /** By which door: the token endpoint, unless it says otherwise. */
  readonly path?: '/token' | '/sts'
  readonly lookup?: { readonly source: LookupSource; readonly cached: boolean }
  readonly wire?: Wire
}

let folders = 0

/** This server, as it is shipped. Its record and log go to a file, as in production. */
export function cambist(options: CambistOptions = {}): Subject {
  const {
    name = 'cambist',
    checkout = '.',
    cores = 'server',
    clients: count = 10,
    policies = 10,
    workers = 1,
    path = '/token',
    wire = {},
  } = options
  return {
    name,
    async start(bench, exchange) {
      const folder = newFolder(bench)
      const port = await freePort()
      const clients = makeClients(count)
      const store = options.store ?? { type: 'embedded', path: 'data' }
      const source = await options.lookup?.source.start()
      const lookup = source && { source, cached: options.lookup?.cached === true }
      writeCambistFolder(folder, { port, keys: bench.keys, clients, policies, store, workers, lookup, secure: wire.tls !== undefined })
      const output = openSync(join(folder, 'record.log'), 'a')
      const flags = bench.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${bench.profile}`]
      const server = start([process.execPath, ...flags, join(checkout, 'dist/main.js'), 'serve', '--config', folder], cores, { output })
      await answering(`${wire.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/readyz`, server)
      const target = { server, port, path, wire, clientsFile: writeClients(folder, clients), cores, mapped: true }
      const running = await loaded(bench, exchange, target)
      return { measure: running.measure, stop: () => running.stop().then(() => source?.stop()) }
    },
  }
}

/** (a), (a') and (b): the benchmark's own servers. */
export function scripted(name: string, script: string, bare: boolean): Subject {
  return {
    name,
    async start(bench, exchange) {
      const folder = newFolder(bench)
      const port = await freePort()
      const clientsFile = writeClients(folder, makeClients(10))
      const server = startScript(script, [bench.keys, String(port), clientsFile], 'server')
      await listening(server)
      const path = bare ? pathOf(exchange) : '/token'
      return loaded(bench, exchange, { server, port, path, clientsFile, cores: 'server', mapped: !bare })
    },
  }
}

/** The bare cryptography in a loop, with no server around it. Only its CPU time means something. */
export function cryptography(name: string): Subject {
  return {
    name,
    async start(bench, exchange) {
      const server = startScript('bench/bare/http.ts', [bench.keys, '0'], 'server')
      await listening(server)
      const body = String((await makeRequests(1, bench.keys, exchange, '/', makeClients(1)))[0])
      const token = new URLSearchParams(body.slice(body.indexOf('\r\n\r\n') + 4)).get('subject_token')
      const measure = async (settle: number, seconds: number) => {
        const order = { path: pathOf(exchange), token, milliseconds: (settle + seconds) * 500 }
        const { microseconds } = await ask<{ microseconds: number }>(server, order)
        return timesOnly(microseconds)
      }
      return { measure, stop: () => server.stop() }
    },
  }
}

/** Assertions of one size in a loop, or the dearest document, with no server around. Only the CPU time means something. */
export function assertions(name: string, by: SizeOrder['by'], content: SizeOrder['content']): Subject {
  return {
    name,
    async start(bench) {
      const script = startScript('bench/sizes.ts', [bench.keys], 'server')
      await listening(script)
      const measure = async (settle: number, seconds: number) => {
        const before = machineTime()
        const order: SizeOrder = { by, content, milliseconds: (settle + seconds) * 1000 }
        const { microseconds, count } = await ask<{ microseconds: number; count: number }>(script, order)
        const after = machineTime()
        const ours = (microseconds * count) / 1e6 + after.mine - before.mine
        return timesOnly(microseconds, Math.max(0, after.busy - before.busy - ours) / (after.total - before.total))
      }
      return { measure, stop: () => script.stop() }
    },
  }
}

// There is nobody who waits for an answer.
function timesOnly(microseconds: number, others = 0): LoadFigures {
  return { perSecond: Number.NaN, cpu: microseconds, p50: Number.NaN, p99: Number.NaN, others }
}

interface Target {
  readonly server: Started
  readonly port: number
  readonly path: string
  readonly wire?: Wire
  readonly clientsFile: string
  readonly cores: Cores
  /** Whether it maps claims. */
  readonly mapped: boolean
}

async function loaded(
  bench: Bench,
  exchange: Exchange,
  { server, port, path, clientsFile, cores, mapped, wire = {} }: Target,
): Promise<Running> {
  const { keys, connections } = bench
  await probe(`${wire.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, path, clientsFile, { keys, exchange, mapped })
  const generator = cores === 'all' ? bench.loadOnAllCores : bench.load
  return {
    measure(settle, seconds) {
      const order: LoadOrder = {
        ...{ port, path, wire, exchange, keys, clients: clientsFile, connections, settle, seconds },
        processes: withChildren(server.pid),
      }
      return ask<LoadFigures>(generator, order)
    },
    stop: () => server.stop(),
  }
}

function newFolder({ folder }: Bench): string {
  const path = join(folder, `subject-${++folders}`)
  mkdirSync(path, { recursive: true })
  return path
}

function writeClients(folder: string, clients: readonly BenchClient[]): string {
  // Beside the configuration, where it would be a file of no known kind.
  const file = `${folder}-clients.json`
  writeFileSync(file, JSON.stringify(clients))
  return file
}
