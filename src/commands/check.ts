import { resolve } from 'node:path'
import { pino } from 'pino'
import { buildConfiguration, type Loaded, type Parsed, parseConfiguration } from '../config/load.ts'
import { type Asked, askEverybody } from '../config/online.ts'
import { ConfigError, describe, describeWarning, inOrder, type Place, type Problem, type Warning } from '../config/problems.ts'
import { readSources } from '../config/read.ts'
import { type Command, configOption, readOptions } from './command.ts'
import { counted } from './counted.ts'
import { terminal } from './terminal.ts'
import { withoutStore } from './world.ts'

/** `cambist check`: loads a configuration as the server would, and starts nothing. */
export const check: Command = {
  name: 'check',
  usage: 'check [--online | --fast] [--strict] [--json] [--config DIR]',
  summary: 'check the configuration and report every problem with its line',
  help: [
    'Loads the configuration as the server does, and starts nothing. Prints every problem with file, line and column,',
    'and warns of settings that are legal and dangerous; docs/warnings.md explains each code. Exits 0 when the',
    'configuration can be used, 1 when it cannot.',
    '--online also asks the other servers that the files name: key sets, discovery documents, SAML metadata, introspection',
    'endpoints (about a made-up token). What cannot be had is a problem. --fast asks nobody, which is the default; of',
    'the two the later one counts.',
    '--strict makes warnings problems. --json prints one JSON document: "ok", "problems", "warnings" and "answered", each',
    'with file, line, column, member and message.',
  ].join('\n'),
  async run(args) {
    const flag = { type: 'boolean', default: false } as const
    const { values } = readOptions(args, { ...configOption, online: flag, fast: flag, strict: flag, json: flag })
    const online = values.online && args.lastIndexOf('--online') > args.lastIndexOf('--fast')
    const folder = resolve(values.config)
    const parsed = await parseConfiguration(await readSources(folder), folder, process.env)
    const report = await reportOn(parsed, { online, strict: values.strict })
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
  /** Undefined where nobody was asked. */
  readonly asked: Asked | undefined
}

async function reportOn(parsed: Parsed, { online, strict }: { online: boolean; strict: boolean }): Promise<Report> {
  const loaded = await problemsOrLoaded(parsed)
  if ('problems' in loaded) return { parsed, strict, problems: loaded.problems, warnings: [], asked: undefined }
  const { warnings, probes } = loaded
  return { parsed, strict, problems: [], warnings, asked: online ? await askEverybody(probes) : undefined }
}

async function problemsOrLoaded(parsed: Parsed): Promise<Loaded | ConfigError> {
  try {
    return await buildConfiguration(parsed, withoutStore(pino({ level: 'silent' })))
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

function isOk({ problems, warnings, strict, asked }: Report): boolean {
  return problems.length === 0 && (asked?.problems ?? []).length === 0 && !(strict && warnings.length > 0)
}

function print(report: Report): void {
  const { parsed, problems, warnings, strict, asked } = report
  for (const problem of problems) terminal.complain(describe(problem))
  if (problems.length > 0) {
    if (parsed.settings?.sample === true)
      terminal.complain('This is the sample configuration: its first start makes the keys and secrets that are not there.')
    terminal.complain(`${counted(problems.length, 'problem')}; nothing can start with this configuration`)
    return
  }
  for (const warning of warnings) {
    if (strict) terminal.complain(describeWarning(warning))
    else terminal.print(`warning: ${describeWarning(warning)}`)
  }
  for (const problem of inOrder(asked?.problems ?? [])) terminal.complain(describe(problem))
  const summary = [`${counted(parsed.sources.files.length, 'file')}, version ${parsed.sources.version}: no problems`]
  if (warnings.length > 0) summary.push(`${counted(warnings.length, 'warning')}${strict ? ', which --strict does not allow' : ''}`)
  if (asked !== undefined) summary.push(inWords(asked))
  if (isOk(report)) terminal.print(summary.join(', '))
  else terminal.complain(summary.join(', '))
}

function inWords({ answered, problems }: Asked): string {
  const all = answered.length + problems.length
  return all === 0 ? 'no other servers to ask' : `${answered.length} of ${counted(all, 'other server')} answered as they should`
}

function asJson(report: Report): object {
  const { parsed, problems, warnings, asked } = report
  const flat = ({ place, message }: { readonly place: Place; readonly message: string }) => ({ ...place, message })
  return {
    ok: isOk(report),
    version: parsed.sources.version,
    files: parsed.sources.files.length,
    problems: [...problems, ...inOrder(asked?.problems ?? [])].map(flat),
    warnings: warnings.map(warning => ({ ...flat(warning), code: warning.code })),
    ...(asked !== undefined && {
      answered: inOrder(asked.answered).map(({ place, what, found }) => ({ ...place, message: `${what}: ${found}` })),
    }),
  }
}
