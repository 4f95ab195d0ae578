import { describeWarning } from '../config/problems.ts'
import { gatherNumbers } from '../observe/signals.ts'
import { ReloadReport } from '../reload/reload-report.ts'
import { Reloader } from '../reload/reloader.ts'
import { terminal } from '../terminal.ts'
import { systemTime } from '../world.ts'
import { announce, type Beginning } from './beginning.ts'
import { Fleet } from './fleet.ts'
import { hearSignals, reloadUntilStopped } from './stopping.ts'

/** Several processes on one port, all on the configuration that this one reads; one that dies is replaced. */
export async function supervise({ folder, configuration, started, settings, log }: Beginning): Promise<number> {
  gatherNumbers()
  const report = new ReloadReport(systemTime)
  const fleet = new Fleet(started, report.facts, log)
  const heard = hearSignals(() => {
    fleet.kill()
    process.exit(1)
  })
  const first = await fleet.prepare(started)
  for (const warning of first.warnings) terminal.complain(`warning: ${describeWarning(warning)}`)
  first.use()
  if (!(await fleet.start(settings.workers))) {
    fleet.kill()
    return 1
  }
  const { host, port, tls } = settings.listen
  await announce(settings, folder, `${tls === undefined ? 'http' : 'https'}://${host}:${port}`)
  const reloader = new Reloader({ folder: configuration, site: fleet, report, log, started, first })
  await reloadUntilStopped(reloader, heard)
  await fleet.stop()
  return 0
}
