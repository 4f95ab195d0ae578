import { type Keeping, Kept } from '../kept.ts'
import type { Outside } from '../outside.ts'
import { pluginsFrom } from '../plugins/load-plugins.ts'
import { namedPlugins, problemsOfPlugins } from '../plugins/named-plugins.ts'
import type { PluginFinder, Plugins } from '../plugins/plugin-package.ts'
import type { Server } from '../server.ts'
import { assemble } from './assemble.ts'
import { reportBearerTokens } from './bearer-tokens.ts'
import { Builder, type ConfiguredProbe } from './build.ts'
import { reportCertificateUsers } from './certificate-users.ts'
import { checkListen } from './check-listen.ts'
import { checkStore } from './check-store.ts'
import { reportClashes, reportSharedEntities } from './clashes.ts'
import { Findings } from './findings.ts'
import { reportUnsignedAnswers } from './introspection-keys.ts'
import { warnOfKeys } from './key-warnings.ts'
import { type AbsentText, checkReferences, findExternalTexts, readExternalText, type TextFinder } from './link.ts'
import { warnOfOwnGenerators } from './own-generators.ts'
import { type ParsedFile, parseFiles } from './parse.ts'
import { ConfigError, inOrder, type Problem, type Warning } from './problems.ts'
import type { Sources } from './read.ts'
import type { ServerSettings } from './server-file.ts'
import { warnOfServer } from './server-warnings.ts'
import { Turns } from './turns.ts'
import { reportUnreachable } from './unreachable.ts'
import type { ExternalText } from './values.ts'
import { versionWithTables } from './version-with-tables.ts'

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
  /** Where the configuration stands, where it was read from there. */
  readonly folder?: string
  readonly sources: Sources
  readonly plugins: Plugins
  readonly files: readonly ParsedFile[]
  /** Undefined when `server.json` has problems. */
  readonly settings: ServerSettings | undefined
  readonly texts: ReadonlyMap<ExternalText, string>
  /** What is not here of the texts. */
  readonly absent: readonly AbsentText[]
  readonly problems: readonly Problem[]
}

/** Parses all files, follows their references and reads the secrets and keys that they name. */
export async function parseConfiguration(sources: Sources, folder: string, environment: NodeJS.ProcessEnv): Promise<Parsed> {
  const find = (external: ExternalText) => readExternalText(external, folder, environment)
  return { folder, ...(await parseSources(sources, find, pluginsFrom(folder))) }
}

/** The same, where somebody else has read the secrets and keys, or loaded the packages of plug-ins. */
export async function parseSources(sources: Sources, find: TextFinder, findPlugins: PluginFinder): Promise<Parsed> {
  const plugins = await findPlugins(namedPlugins(sources))
  const { parsed: files, problems } = await parseFiles(sources, plugins)
  const { texts, absent, problems: unreadable } = await findExternalTexts(files, find)
  const settings = files.find(({ source }) => source.kind === 'server')?.blueprint.settings as ServerSettings | undefined
  const dangling = await checkReferences(files, sources, settings)
  const unusable = problemsOfPlugins(plugins, sources)
  return {
    sources: { ...sources, version: versionWithTables(sources.version, files, texts) },
    plugins,
    files,
    settings,
    texts,
    absent,
    problems: [...sources.problems, ...unusable, ...problems, ...dangling, ...unreadable],
  }
}

/**
 * Builds the server. Throws a `ConfigError` with every problem of every file; whatever can be checked in spite of others is. `kept`
 * has what an earlier configuration has left.
 */
export async function buildConfiguration(
  { folder, sources, files, settings, texts, problems }: Parsed,
  outside: Outside,
  kept: Keeping = new Kept().draft(),
): Promise<Loaded> {
  const findings = new Findings()
  const built = await new Builder({ server: settings, texts, outside, kept, findings }).build(files)
  const turns = new Turns()
  reportClashes(files, findings)
  reportSharedEntities(files, findings)
  await turns.next()
  reportUnreachable(files, sources.files, findings)
  reportBearerTokens(files, texts, findings)
  await turns.next()
  const storeProbes = checkStore({ folder, files, texts, outside, findings })
  checkListen({ files, texts, outside, findings })
  if (settings !== undefined) reportCertificateUsers(settings, files, findings)
  warnOfOwnGenerators(files, built, findings)
  warnOfKeys(files, built.keys, { folder, now: outside.now() }, findings)
  await turns.next()
  if (settings !== undefined) {
    warnOfServer(settings, files, built, findings)
    reportUnsignedAnswers(settings, files, built, findings)
  }
  const all = [...problems, ...findings.problems]
  if (all.length > 0 || settings === undefined) throw new ConfigError(inOrder(all))
  await turns.next()
  const server = assemble({ settings, built, files, texts, version: sources.version, outside, kept })
  return { server, warnings: inOrder(findings.warnings), probes: [...built.probes, ...storeProbes] }
}
