import cluster from 'node:cluster'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { pino } from 'pino'
import { createApp } from '../app.ts'
import { buildConfiguration, type Parsed, parseConfiguration } from '../config/load.ts'
import { ConfigError, describe, describeWarning, memberName } from '../config/problems.ts'
import { readSources } from '../config/read.ts'
import type { ServerSettings } from '../config/server-file.ts'
import { endpoint } from '../http/documents.ts'
import { listen } from '../listen.ts'
import { Outage } from '../oauth/errors.ts'
import { openJournal } from '../observe/journal.ts'
import { Recorder } from '../observe/record.ts'
import { SettingProblem } from '../plugin.ts'
import { sampleBanner } from '../sample/banner.ts'
import { makeMissingFiles } from '../sample/first-start.ts'
import { openStore } from '../stores/open-store.ts'
import { type Command, configOption, readOptions } from './command.ts'
import { terminal } from './terminal.ts'
import { outsideOf, systemTime, withoutStore } from './world.ts'

const deadline = 10_000

/** `cambist serve`: the server. */
export const serve: Command = {
  name: 'serve',
  usage: 'serve [--config DIR]',
  summary: 'start the server',
  help: [
    'Starts the server on the configuration in DIR (default: the current folder). Standard output has one JSON line per',
    "exchange, refused or not, and the server's own log. A mistake in the configuration is reported with its line, and",
    'nothing starts. SIGTERM and SIGINT stop it after the requests in flight.',
  ].join('\n'),
  async run(args) {
    const { values } = readOptions(args, configOption)
    const folder = resolve(values.config)
    try {
      const parsed = await readConfiguration(folder)
      if (parsed.settings !== undefined && parsed.settings.workers > 1 && cluster.isPrimary)
        return await supervise(parsed, parsed.settings, folder)
      return await work(parsed, folder)
    } catch (error) {
      if (error instanceof ConfigError) return complain(error)
      if (error instanceof SettingProblem) return complainOfSetting(error)
      if (error instanceof Outage) return complainOfOutage(error)
      // A worker hears of the first process that it is `bind` that failed.
      if (['listen', 'bind'].includes((error as NodeJS.ErrnoException).syscall ?? ''))
        return complainOfListening(error as NodeJS.ErrnoException)
      throw error
    } finally {
      // The channel to the first process would keep a worker alive that has nothing left to do.
      if (cluster.isWorker) process.disconnect()
    }
  },
}

async function readConfiguration(folder: string): Promise<Parsed> {
  const parsed = await parseConfiguration(await readSources(folder), folder, process.env)
  if (parsed.settings?.sample !== true) return parsed
  const made = await makeMissingFiles(folder, parsed.files)
  if (made.length === 0) return parsed
  terminal.print(`First start of the sample configuration: made ${made.join(', ')} (ignored by Git).`)
  return parseConfiguration(await readSources(folder), folder, process.env)
}

/** One process that serves until it is told to stop. */
async function work(parsed: Parsed, folder: string): Promise<number> {
  const journal = openJournal(1, { shared: (parsed.settings?.workers ?? 1) > 1 })
  const log = pino({ base: { pid: process.pid } }, journal)
  const { settings } = parsed
  // Without usable settings there is no store to open; what is wrong is found out with one that is kept in memory.
  if (settings === undefined || parsed.problems.length > 0) await buildConfiguration(parsed, withoutStore(log))
  if (settings === undefined) return 1
  const store = await openStore(settings.store, {
    text: external => parsed.texts.get(external) ?? '',
    now: systemTime,
    log,
    baseFolder: folder,
  })
  try {
    const { server, warnings } = await buildConfiguration(parsed, outsideOf(store, log))
    const listening = await listen(createApp(server, new Recorder(journal)), settings.listen)
    log.info({ address: listening.address, issuer: server.issuer, version: server.version }, 'listening')
    if (cluster.isPrimary) {
      for (const warning of warnings) log.warn({ code: warning.code }, describeWarning(warning))
      await announce(settings, folder, listening.address)
    }
    await toldToStop()
    log.info('stopping')
    await listening.close(deadline)
    return 0
  } finally {
    await store.close()
    await journal.close()
  }
}

/** Several processes on one port; one that dies is replaced. */
async function supervise(parsed: Parsed, settings: ServerSettings, folder: string): Promise<number> {
  const { warnings } = await buildConfiguration(parsed, withoutStore(pino({ level: 'silent' })))
  for (const warning of warnings) terminal.complain(`warning: ${describeWarning(warning)}`)
  const forked = Array.from({ length: settings.workers }, () => cluster.fork())
  const started = await Promise.all(
    forked.map(worker => Promise.race([once(worker, 'listening'), once(worker, 'exit').then(() => undefined)])),
  )
  if (started.includes(undefined)) {
    for (const worker of forked) worker.kill()
    return 1
  }
  let stopping = false
  cluster.on('exit', () => {
    // A worker that dies at once would be started over and over; a pause bounds what that costs.
    if (!stopping) setTimeout(() => !stopping && cluster.fork(), 1_000)
  })
  await announce(settings, folder, `http://${settings.listen.host}:${settings.listen.port}`)
  await toldToStop()
  stopping = true
  const running = Object.values(cluster.workers ?? {}).filter(worker => worker !== undefined)
  const ended = running.map(worker => once(worker, 'exit'))
  for (const worker of running) worker.process.kill('SIGTERM')
  await Promise.all(ended)
  return 0
}

async function announce(settings: ServerSettings, folder: string, address: string): Promise<void> {
  if (!settings.sample) return
  terminal.print(await sampleBanner(folder, { address, tokenEndpoint: endpoint(settings.issuer, 'token'), issuer: settings.issuer }))
}

async function toldToStop(): Promise<void> {
  await new Promise<void>(resolve => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
}

function complain(error: ConfigError): number {
  for (const problem of error.problems) terminal.complain(describe(problem))
  terminal.complain(`${error.problems.length} ${error.problems.length === 1 ? 'problem' : 'problems'}; nothing was started`)
  return 1
}

function complainOfSetting({ path, message }: SettingProblem): number {
  terminal.complain(`server.json ${memberName(path)}: ${message}\nnothing was started`)
  return 1
}

function complainOfOutage({ message, cause }: Outage): number {
  terminal.complain(`${message}${cause instanceof Error ? ` (${cause.message})` : ''}\nnothing was started`)
  return 1
}

function complainOfListening(error: NodeJS.ErrnoException & { address?: string; port?: number }): number {
  const why = error.code === 'EADDRINUSE' ? 'another process listens there already' : error.code
  terminal.complain(`cannot listen on ${error.address}:${error.port}: ${why}; change "listen" in server.json`)
  return 1
}
