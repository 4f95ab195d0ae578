import type { Parsed } from '../config/load.ts'
import type { ServerSettings } from '../config/server-file.ts'
import { ExternalText } from '../config/values.ts'

/** Members of `server.json` that are used at the start and never again. */
export const usedAtTheStart = ['listen', 'store', 'tracing', 'workers'] as const satisfies readonly (keyof ServerSettings)[]

/** Those that are not what they were when the server started. */
export function needsRestart(started: Parsed, now: Parsed): readonly string[] {
  return usedAtTheStart.filter(name => written(started, name) !== written(now, name))
}

// A secret that was changed where it stands needs a restart as well: connections are opened with the old one.
function written({ settings, texts }: Parsed, name: (typeof usedAtTheStart)[number]): string | undefined {
  return JSON.stringify(settings?.[name], (_, value) => (value instanceof ExternalText ? { ...value, text: texts.get(value) } : value))
}
