import type { Outside } from '../outside.ts'
import type { Server } from '../server.ts'
import { assemble } from './assemble.ts'
import { Builder } from './build.ts'
import { checkReferences, readExternalTexts } from './link.ts'
import { type ParsedFile, parseFiles } from './parse.ts'
import { ConfigError, type Problem, type Warning } from './problems.ts'
import type { Sources } from './read.ts'
import type { ServerSettings } from './server-file.ts'
import type { ExternalText } from './values.ts'

/** A configuration without problems. */
export interface Loaded {
  readonly server: Server
  /** What is legal and dangerous. */
  readonly warnings: readonly Warning[]
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
  const { texts, problems: unreadable } = await readExternalTexts(files, folder, environment)
  const settings = files.find(({ source }) => source.kind === 'server')?.blueprint.settings as ServerSettings | undefined
  return {
    sources,
    files,
    settings,
    texts,
    problems: [...sources.problems, ...problems, ...checkReferences(files, sources), ...unreadable],
  }
}

/** Builds the server. Throws a `ConfigError` with every problem of every file; whatever can be checked in spite of others is. */
export async function buildConfiguration({ sources, files, settings, texts, problems }: Parsed, outside: Outside): Promise<Loaded> {
  if (settings === undefined) throw new ConfigError(inOrder(problems))
  const builder = new Builder({ server: settings, texts, outside })
  const built = await builder.build(files)
  const server = assemble({ settings, built, files, version: sources.version, outside, report: problem => builder.problems.push(problem) })
  const all = [...problems, ...builder.problems]
  if (all.length > 0) throw new ConfigError(inOrder(all))
  return { server, warnings: inOrder(builder.warnings) }
}

function inOrder<Found extends Problem>(problems: readonly Found[]): Found[] {
  return [...problems].sort(
    ({ place: left }, { place: right }) => left.file.localeCompare(right.file) || left.line - right.line || left.column - right.column,
  )
}
