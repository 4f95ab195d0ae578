import cluster from 'node:cluster'
import { resolve } from 'node:path'
import { pino } from 'pino'
import { buildConfiguration } from '../config/load.ts'
import { ConfigError, describe, memberName } from '../config/problems.ts'
import { Outage } from '../oauth/errors.ts'
import { openJournal } from '../observe/journal.ts'
import { SettingProblem } from '../plugin.ts'
import { serveAlone } from '../processes/alone.ts'
import { hearStrayFaults } from '../processes/stray-faults.ts'
import { supervise } from '../processes/supervise.ts'
import { serveAsWorker } from '../processes/worker.ts'
import { ConfigurationFolder, type SteadyReading } from '../reload/folder.ts'
import { makeMissingFiles } from '../sample/first-start.ts'
import { terminal } from '../terminal.ts'
import { withoutStore } from '../world.ts'
import { type Command, configOption, readOptions } from './command.ts'

/** `cambist serve`: the server. */
export const serve: Command = {
  name: 'serve',
  usage: 'serve [--config DIR]',
  summary: 'start the server',
  help: [
    'Starts the server on the configuration in DIR (default: the current folder). Standard output has one JSON line per',
    "exchange, refused or not, and the server's own log. A mistake in the configuration is reported with its line, and",
    'nothing starts. When its files change, or on SIGHUP, the configuration is loaded anew; a mistake then keeps the one',
    'that serves. SIGTERM and SIGINT stop it after the requests in flight, a second one at once.',
  ].join('\n'),
  async run(args) {
    const { values } = readOptions(args, configOption)
    const folder = resolve(values.config)
    try {
      return await (cluster.isPrimary ? start(folder) : serveAsWorker(folder))
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

// The first process, or the only one. Workers are given what it has read.
async function readConfiguration(folder: string, configuration: ConfigurationFolder): Promise<SteadyReading> {
  const reading = await configuration.read()
  if (reading.parsed.settings?.sample !== true) return reading
  const made = await makeMissingFiles(folder, reading.parsed.files)
  if (made.length === 0) return reading
  terminal.print(`First start of the sample configuration: made ${made.join(', ')} (ignored by Git).`)
  return configuration.read()
}

async function start(folder: string): Promise<number> {
  const configuration = new ConfigurationFolder(folder, process.env)
  const started = await readConfiguration(folder, configuration)
  const { parsed } = started
  const journal = openJournal(1, { shared: (parsed.settings?.workers ?? 1) > 1 })
  const log = pino({ base: { pid: process.pid } }, journal)
  hearStrayFaults(log, journal)
  try {
    // Without usable settings there is no store to open; what is wrong is found out with one that is kept in memory.
    if (parsed.settings === undefined || parsed.problems.length > 0) await buildConfiguration(parsed, withoutStore(log))
    const { settings } = parsed
    if (settings === undefined) return 1
    const first = { folder, configuration, started, settings, journal, log }
    return settings.workers > 1 ? await supervise(first) : await serveAlone(first)
  } finally {
    await journal.close()
  }
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
