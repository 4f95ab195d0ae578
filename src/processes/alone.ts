import { describeWarning } from '../config/problems.ts'
import { measureProcess } from '../observe/metrics/process-metrics.ts'
import { openSignals, tracingOf } from '../observe/signals.ts'
import { ReloadReport } from '../reload/reload-report.ts'
import { Reloader } from '../reload/reloader.ts'
import { TicketKeys } from '../tls/ticket-keys.ts'
import { systemTime } from '../world.ts'
import { announce, type Beginning, listenFor, openStoreOf, siteOf } from './beginning.ts'
import { finish, hearSignals, reloadUntilStopped } from './stopping.ts'

/** One process that serves until it is told to stop. */
export async function serveAlone({ folder, configuration, started, settings, journal, log }: Beginning): Promise<number> {
  const heard = hearSignals(() => process.exit(1))
  const condition = { stopping: false, reload: new ReloadReport(systemTime) }
  const signals = openSignals({ journal, now: systemTime, tracing: tracingOf(started.parsed, log) })
  measureProcess(signals.registry)
  const store = signals.measured(await openStoreOf(started.parsed, settings, folder, log))
  try {
    const site = siteOf(store, signals, condition, log)
    const first = await site.prepare(started)
    first.use()
    const listening = await listenFor(site, settings, new TicketKeys().keepReplacing())
    log.info({ address: listening.address, issuer: settings.issuer, version: first.version }, 'listening')
    for (const warning of first.warnings) log.warn({ code: warning.code }, describeWarning(warning))
    await announce(settings, folder, listening.address)
    const reloader = new Reloader({ folder: configuration, site, report: condition.reload, log, started, first })
    await reloadUntilStopped(reloader, heard)
    await finish(listening, site, condition, log)
    return 0
  } finally {
    await signals.close()
    await store.close()
  }
}
