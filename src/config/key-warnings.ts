import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ConfiguredKey } from '../keys/key-file.ts'
import type { Instant } from '../outside.ts'
import type { Findings } from './findings.ts'
import type { ParsedFile } from './parse.ts'
import type { ExternalText } from './values.ts'

const day = 86_400
// Below that the certificate itself is warned of.
const nearest = 30 * day
const farthest = 90 * day
const longestUse = 365 * day

interface Surroundings {
  /** The folder that the paths of key files are relative to; where it is not known, neither is their age. */
  readonly folder: string | undefined
  readonly now: Instant
}

/** Warns of keys that are in use and should be replaced before long, while no next one is there (docs/warnings.md). A new key is left alone. */
export function warnOfKeys(
  files: readonly ParsedFile[],
  keys: ReadonlyMap<string, ConfiguredKey>,
  around: Surroundings,
  findings: Findings,
): void {
  const replaced = new Set([...keys.values()].map(key => key.replaces))
  for (const file of files) {
    const key = file.source.kind === 'keys' ? keys.get(file.source.id) : undefined
    if (key === undefined || key.status !== 'active' || replaced.has(key.id)) continue
    const why = reasonToReplace(key, file, around)
    if (why !== undefined) findings.warn(file, 'key-without-successor', ['status'], `${why}, and no key with "status": "next" replaces it`)
  }
}

function reasonToReplace({ signing }: ConfiguredKey, file: ParsedFile, { folder, now }: Surroundings): string | undefined {
  const certificate = signing?.certificate
  if (certificate !== undefined) {
    const end = Date.parse(certificate.validTo) / 1000
    return end > now + nearest && end <= now + farthest
      ? `its certificate ends on ${new Date(end * 1000).toISOString().slice(0, 10)}`
      : undefined
  }
  const { privateKey } = file.blueprint.settings as { readonly privateKey: ExternalText }
  if (privateKey.from !== 'file' || folder === undefined) return undefined
  const changed = statSync(resolve(folder, privateKey.name), { throwIfNoEntry: false })?.mtimeMs
  return changed !== undefined && changed / 1000 < now - longestUse ? 'its file is older than a year' : undefined
}
