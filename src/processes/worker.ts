import { pino } from 'pino'
import type { ServerSettings } from '../config/server-file.ts'
import { parseSnapshot } from '../config/snapshot.ts'
import { openJournal } from '../observe/journal.ts'
import { measureProcess } from '../observe/metrics/process-metrics.ts'
import { openSignals, tracingOf } from '../observe/signals.ts'
import { pluginsFrom } from '../plugins/load-plugins.ts'
import { pluginsOfTheStart, requireSamePlugins } from '../plugins/started-plugins.ts'
import { ReloadReport } from '../reload/reload-report.ts'
import { TicketKeys } from '../tls/ticket-keys.ts'
import { systemTime } from '../world.ts'
import { listenFor, openStoreOf, siteOf } from './beginning.ts'
import { FirstProcess } from './first-process.ts'
import { finish, toldToStop } from './stopping.ts'
import { hearStrayFaults } from './stray-faults.ts'

/** One of several processes. It reads nothing itself. */
export async function serveAsWorker(folder: string): Promise<number> {
  // Whoever sends it to all processes means the first one.
  process.on('SIGHUP', () => undefined)
  const firstProcess = new FirstProcess()
  const { snapshot, foundation, facts, tickets: keys } = await firstProcess.ask()
  const beginning = await parseSnapshot(foundation, pluginsFrom(foundation.plugins.folder))
  await requireSamePlugins(beginning.plugins, foundation.plugins.packages)
  const findPlugins = pluginsOfTheStart(beginning.plugins)
  const settings = beginning.settings as ServerSettings
  const tickets = new TicketKeys(keys)
  const condition = { stopping: false, reload: new ReloadReport(systemTime) }
  condition.reload.hear(facts)
  const journal = openJournal(1)
  const log = pino({ base: { pid: process.pid } }, journal)
  hearStrayFaults(log, journal)
  const signals = openSignals({ journal, now: systemTime, tracing: tracingOf(beginning, log) })
  measureProcess(signals.registry)
  const store = signals.measured(await openStoreOf(beginning, settings, folder, log))
  try {
    const site = siteOf(store, signals, condition, log)
    const first = await site.prepare({ parsed: await parseSnapshot(snapshot, findPlugins) })
    first.use()
    const listening = await listenFor(site, settings, tickets)
    log.info({ address: listening.address, issuer: site.settings.issuer, version: first.version }, 'listening')
    const following = firstProcess.follow({ site, report: condition.reload, findPlugins, tickets })
    const failure = await Promise.race([toldToStop(() => process.exit(1)), following.catch(asError)])
    if (failure !== undefined) log.error({ err: failure }, 'this worker cannot serve what the others do; it ends')
    await finish(listening, site, condition, log)
    return failure === undefined ? 0 : 1
  } finally {
    await signals.close()
    await store.close()
    await journal.close()
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
