import type { Parsed } from '../config/load.ts'
import type { ServerSettings } from '../config/server-file.ts'
import { ExternalText } from '../config/values.ts'

/** Settings of `server.json` that are used at the start and never again. */
const usedAtTheStart = {
  // What stands in the files of TLS is used at once; whether there is TLS, and whom it asks for certificates, is not.
  listen: ({ listen: { host, port, tls } }) => ({ host, port, tls: tls && { request: tls.clientCertificates?.request } }),
  store: settings => settings.store,
  tracing: settings => settings.tracing,
  workers: settings => settings.workers,
  'admin.listen': settings => settings.admin?.listen,
} as const satisfies Record<string, (settings: ServerSettings) => unknown>

/** Those that are not what they were when the server started. */
export function needsRestart(started: Parsed, now: Parsed): readonly string[] {
  const settings = Object.entries(usedAtTheStart)
    .filter(([, read]) => written(started, read) !== written(now, read))
    .map(([name]) => name)
  return samePlugins(started, now) ? settings : [...settings, 'plugins']
}

/** Whether the list and the code of the packages are what they were. */
function samePlugins(started: Parsed, now: Parsed): boolean {
  const written = ({ settings, plugins }: Parsed) =>
    JSON.stringify([settings?.plugins, plugins.packages.map(({ name, digest }) => [name, digest])])
  return written(started) === written(now)
}

// A secret that was changed where it stands needs a restart as well: connections are opened with the old one.
function written({ settings, texts }: Parsed, read: (settings: ServerSettings) => unknown): string | undefined {
  return JSON.stringify(settings && read(settings), (_, value) =>
    value instanceof ExternalText ? { ...value, text: texts.get(value) } : value,
  )
}
