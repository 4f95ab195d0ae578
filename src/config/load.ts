import type { Outside } from '../outside.ts'
import type { Server } from '../server.ts'
import { assemble } from './assemble.ts'
import { Builder, type ConfiguredProbe } from './build.ts'
import { checkStore } from './check-store.ts'
import { reportClashes, reportUnreachableGenerators } from './clashes.ts'
import { Findings } from './findings.ts'
import { checkReferences, readExternalTexts } from './link.ts'
import { warnOfOwnGenerators } from './own-generators.ts'
import { type ParsedFile, parseFiles } from './parse.ts'
import { ConfigError, inOrder, type Problem, type Warning } from './problems.ts'
import type { Sources } from './read.ts'
import type { ServerSettings } from './server-file.ts'
import { warnOfServer } from './server-warnings.ts'
import type { ExternalText } from './values.ts'

/** A configuration without problems. */
export interface Loaded {
  readonly server: Server
  /** What is legal and dangerous. */
  readonly warnings: readonly Warning[]
  /** What it expects of other servers, to be asked on demand. */
  readonly probes: readonly ConfiguredProbe[]
}

/** A configuration whose files were parsed and whose outside texts were read, with what is wrong so far. */
export interface Parsed {
  readonly sources: Sources
  readonly files: readonly ParsedFile[]
  /** Undefined when `server.json` has problems. */
  readonly settings: ServerSettings | undefined
  readonly texts: ReadonlyMap<ExternalText, string>
  readonly problems: readonly Problem[]
}

/** Parses all files, follows their references and reads the secrets and keys that they name. */
export async function parseConfiguration(sources: Sources, folder: string, environment: NodeJS.ProcessEnv): Promise<Parsed> {
  const { parsed: files, problems } = parseFiles(sources)
  const { texts, problems: unreadable } = readExternalTexts(files, folder, environment)
  const settings = files.find(({ source }) => source.kind === 'server')?.blueprint.settings as ServerSettings | undefined
  return {
    sources,
    files,
    settings,
    texts,
    problems: [...sources.problems, ...problems, ...checkReferences(files, sources, settings), ...unreadable],
  }
}

/** Builds the server. Throws a `ConfigError` with every problem of every file; whatever can be checked in spite of others is. */
export async function buildConfiguration({ sources, files, settings, texts, problems }: Parsed, outside: Outside): Promise<Loaded> {
  const findings = new Findings()
  const built = await new Builder({ server: settings, texts, outside, findings }).build(files)
  reportClashes(files, findings)
  reportUnreachableGenerators(files, sources.files, findings)
  const storeProbes = checkStore({ files, texts, outside, findings })
  warnOfOwnGenerators(files, built, findings)
  if (settings !== undefined) warnOfServer(settings, files, built, findings)
  const all = [...problems, ...findings.problems]
  if (all.length > 0 || settings === undefined) throw new ConfigError(inOrder(all))
  const server = assemble({ settings, built, files, version: sources.version, outside })
  return { server, warnings: inOrder(findings.warnings), probes: [...built.probes, ...storeProbes] }
}
