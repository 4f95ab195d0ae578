import { resolve } from 'node:path'
import { pino } from 'pino'
import type { AbsentText } from '../config/link.ts'
import { buildConfiguration, type Loaded, type Parsed, parseConfiguration } from '../config/load.ts'
import { type Asked, askEverybody } from '../config/online.ts'
import { ConfigError, describe, describeWarning, inOrder, type Place, type Problem, type Warning } from '../config/problems.ts'
import { readSources } from '../config/read.ts'
import { withStandIns } from '../config/stand-ins.ts'
import { type Keeping, Kept } from '../kept.ts'
import type { PluginPackage } from '../plugins/plugin-package.ts'
import { typesOf } from '../plugins/read-exports.ts'
import { checkCases } from '../policy-tests/check-cases.ts'
import { type LoadedTests, loadTests } from '../policy-tests/load-tests.ts'
import { terminal } from '../terminal.ts'
import { withoutStore } from '../world.ts'
import { type Command, configOption, readOptions } from './command.ts'
import { counted } from './counted.ts'
import { type ListedConnection, linesOfConnection, listedConnections } from './listed-connections.ts'

/** `cambist check`: loads a configuration as the server would, and starts nothing. */
export const check: Command = {
  name: 'check',
  usage: 'check [--online | --fast] [--strict] [--without-secrets] [--json] [--config DIR]',
  summary: 'check the configuration and report every problem with its line',
  help: [
    'Loads the configuration as the server does, and starts nothing. Prints every problem with file, line and column,',
    'and warns of settings that are legal and dangerous; docs/warnings.md explains each code. Exits 0 when the',
    'configuration can be used, 1 when it cannot.',
    'Lists the IdP connections, each with its token generators and the virtual servers that may use them.',
    '--online also asks the other servers that the files name: key sets, discovery documents, SAML metadata, introspection',
    'endpoints (about a made-up token). What cannot be had is a problem. --fast asks nobody, which is the default; of',
    'the two the later one counts.',
    '--without-secrets puts stand-ins in the place of secrets and keys that are not here, for a checkout in Git; all else is',
    'checked. Mistakes in policies/tests are reported too.',
    '--strict makes warnings problems. --json prints one JSON document: "ok", "problems", "warnings" and "answered", each',
    'with file, line, column, member and message.',
  ].join('\n'),
  async run(args) {
    const flag = { type: 'boolean', default: false } as const
    const { values } = readOptions(args, { ...configOption, online: flag, fast: flag, strict: flag, 'without-secrets': flag, json: flag })
    const online = values.online && args.lastIndexOf('--online') > args.lastIndexOf('--fast')
    const folder = resolve(values.config)
    const read = await parseConfiguration(await readSources(folder), folder, process.env)
    const { parsed, replaced } = values['without-secrets'] ? await withStandIns(read) : { parsed: read, replaced: [] }
    const tests = await loadTests(folder, parsed.sources)
    const report = { ...(await reportOn(parsed, tests, { online, strict: values.strict })), replaced }
    if (values.json) terminal.print(JSON.stringify(asJson(report), undefined, 2))
    else print(report)
    return isOk(report) ? 0 : 1
  },
}

interface Report {
  readonly parsed: Parsed
  readonly strict: boolean
  readonly problems: readonly Problem[]
  readonly warnings: readonly Warning[]
  readonly connections: readonly ListedConnection[]
  /** Undefined where nobody was asked. */
  readonly asked: Asked | undefined
  readonly tests: LoadedTests
  /** Secrets and keys that are not here. */
  readonly replaced: readonly AbsentText[]
}

async function reportOn(
  parsed: Parsed,
  tests: LoadedTests,
  { online, strict }: { online: boolean; strict: boolean },
): Promise<Omit<Report, 'replaced'>> {
  const kept = new Kept().draft()
  const loaded = await problemsOrLoaded(parsed, kept)
  // What is sound has been built, and may have begun something.
  if ('problems' in loaded) await kept.discard()
  if ('problems' in loaded) return { parsed, strict, problems: loaded.problems, warnings: [], connections: [], asked: undefined, tests }
  const { server, warnings, probes } = loaded
  const connections = listedConnections(server.connections.values())
  const problemsOfTests = [...tests.problems, ...checkCases(tests.files, server, parsed.sources)]
  const asked = online ? await askEverybody(probes) : undefined
  await kept.discard()
  return { parsed, strict, problems: [], warnings, connections, asked, tests: { ...tests, problems: problemsOfTests } }
}

async function problemsOrLoaded(parsed: Parsed, kept: Keeping): Promise<Loaded | ConfigError> {
  try {
    return await buildConfiguration(parsed, withoutStore(pino({ level: 'silent' })), kept)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

function isOk({ problems, warnings, strict, asked, tests }: Report): boolean {
  return problems.length === 0 && tests.problems.length === 0 && (asked?.problems ?? []).length === 0 && !(strict && warnings.length > 0)
}

function print(report: Report): void {
  const { parsed, problems, warnings, strict, asked, tests, replaced } = report
  for (const problem of inOrder([...problems, ...tests.problems])) terminal.complain(describe(problem))
  if (problems.length > 0) {
    for (const hint of hintsFor(report)) terminal.complain(hint)
    terminal.complain(`${counted(problems.length + tests.problems.length, 'problem')}; nothing can start with this configuration`)
    return
  }
  if (tests.problems.length > 0) {
    terminal.complain(`${counted(tests.problems.length, 'problem')} in the policy tests, which "cambist test" cannot play`)
    return
  }
  for (const warning of warnings) {
    if (strict) terminal.complain(describeWarning(warning))
    else terminal.print(`warning: ${describeWarning(warning)}`)
  }
  for (const plugin of parsed.plugins.packages) terminal.print(lineOfPlugin(plugin))
  for (const line of report.connections.flatMap(linesOfConnection)) terminal.print(line)
  for (const problem of inOrder(asked?.problems ?? [])) terminal.complain(describe(problem))
  const summary = [`${counted(parsed.sources.files.length, 'file')}, version ${parsed.sources.version}: no problems`]
  if (warnings.length > 0) summary.push(`${counted(warnings.length, 'warning')}${strict ? ', which --strict does not allow' : ''}`)
  if (tests.files.length > 0) summary.push(`${counted(tests.files.length, 'file')} of policy tests`)
  if (replaced.length > 0) summary.push(`${counted(replaced.length, 'stand-in')} for secrets and keys that are not here`)
  if (asked !== undefined) summary.push(inWords(asked))
  if (isOk(report)) terminal.print(summary.join(', '))
  else terminal.complain(summary.join(', '))
}

function lineOfPlugin({ name, version, kinds }: PluginPackage): string {
  const types = typesOf(kinds).map(([folder, type]) => `"${type}" for ${folder}`)
  return `plug-in ${name} ${version}: ${types.join(', ')}`
}

function asJsonPlugin({ name, version, kinds }: PluginPackage): object {
  return { name, version, types: typesOf(kinds).map(([folder, type]) => ({ folder, type })) }
}

function hintsFor({ parsed, problems }: Report): readonly string[] {
  const absent = new Set(parsed.absent.map(({ message }) => message))
  const missing = problems.filter(({ message }) => absent.has(message)).length
  return [
    ...(parsed.settings?.sample === true && missing > 0
      ? ['This is the sample configuration: its first start makes the keys and secrets that are not there.']
      : []),
    ...(missing === problems.length
      ? ['Only secrets and keys are not here. --without-secrets checks everything else, as a checkout in Git needs it.']
      : missing > 0
        ? [
            `Of these, ${counted(missing, 'problem')} will go with --without-secrets: secrets and keys that are not here, as in a checkout in Git.`,
          ]
        : []),
  ]
}

function inWords({ answered, problems }: Asked): string {
  const all = answered.length + problems.length
  return all === 0 ? 'no other servers to ask' : `${answered.length} of ${counted(all, 'other server')} answered as they should`
}

function asJson(report: Report): object {
  const { parsed, problems, warnings, asked, tests } = report
  const flat = ({ place, message }: { readonly place: Place; readonly message: string }) => ({ ...place, message })
  return {
    ok: isOk(report),
    version: parsed.sources.version,
    files: parsed.sources.files.length,
    problems: [...inOrder([...problems, ...tests.problems]), ...inOrder(asked?.problems ?? [])].map(flat),
    ...(parsed.plugins.packages.length > 0 && { plugins: parsed.plugins.packages.map(asJsonPlugin) }),
    warnings: warnings.map(warning => ({ ...flat(warning), code: warning.code })),
    ...(report.connections.length > 0 && { connections: report.connections }),
    ...(asked !== undefined && {
      answered: inOrder(asked.answered).map(({ place, what, found }) => ({ ...place, message: `${what}: ${found}` })),
    }),
  }
}
