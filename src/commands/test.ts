import { writeFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { pino } from 'pino'
import type { AbsentText } from '../config/link.ts'
import { buildConfiguration, parseConfiguration } from '../config/load.ts'
import { ConfigError, describe, inOrder, type Problem } from '../config/problems.ts'
import { readSources, type SourceFile } from '../config/read.ts'
import { settingPlace } from '../config/setting-place.ts'
import { withStandIns } from '../config/stand-ins.ts'
import { didYouMean } from '../config/suggest.ts'
import { checkCases } from '../policy-tests/check-cases.ts'
import { inWords } from '../policy-tests/in-words.ts'
import { junit } from '../policy-tests/junit.ts'
import { loadTests, type TestFile } from '../policy-tests/load-tests.ts'
import { countOf, type FileResult, runTests } from '../policy-tests/run.ts'
import type { Server } from '../server.ts'
import { terminal } from '../terminal.ts'
import { withoutStore } from '../world.ts'
import { type Command, configOption, readOptions } from './command.ts'
import { counted } from './counted.ts'

/** `cambist test`: plays the policy tests. */
export const test: Command = {
  name: 'test',
  usage: 'test [NAME…] [--filter TEXT] [--junit FILE] [--json] [--config DIR]',
  summary: 'play the policy tests: who gets which token, and who is refused',
  help: [
    'Plays every case of policies/tests/*.json by the real exchange, without a token, a network or a store: what a token would',
    'prove stands in the case. NAME is one of these files, or its name alone; --filter takes the cases whose name contains TEXT.',
    'Prints what is not as expected, and where the case stands. --junit also writes the results as JUnit XML; --json prints one',
    'JSON document. Exits 0 when every case came out as expected, 1 when one did not, when the configuration has problems, and',
    'when there was nothing to play.',
    'Secrets and keys that are not here are replaced by stand-ins, so that a checkout in Git is enough.',
  ].join('\n'),
  async run(args) {
    const options = { filter: { type: 'string' }, junit: { type: 'string' }, json: { type: 'boolean', default: false } } as const
    const { values, positionals } = readOptions(args, { ...configOption, ...options }, Number.POSITIVE_INFINITY)
    const folder = resolve(values.config)
    const loaded = await load(folder)
    if ('problems' in loaded) return complainOf(loaded.problems)
    const chosen = choose(loaded.tests, positionals, folder)
    if (typeof chosen === 'string') return fail(chosen)
    const files = filtered(chosen, values.filter)
    if (files.length === 0) return fail(nothingToPlay(loaded.tests, values.filter))
    const results = await runTests(files, loaded.server, setting => settingPlace(setting, loaded.sources))
    if (values.junit !== undefined) {
      const failure = await writeFile(values.junit, junit(results)).catch((error: NodeJS.ErrnoException) => error)
      if (failure !== undefined) return fail(`the file ${values.junit} cannot be written (${failure.code})`)
    }
    report(results, loaded.replaced, values.json)
    return countOf(results).failed === 0 ? 0 : 1
  },
}

interface Loaded {
  readonly server: Server
  readonly sources: readonly SourceFile[]
  readonly tests: readonly TestFile[]
  readonly replaced: readonly AbsentText[]
}

async function load(folder: string): Promise<Loaded | { readonly problems: readonly Problem[] }> {
  const { parsed, replaced } = await withStandIns(await parseConfiguration(await readSources(folder), folder, process.env))
  const { files: tests, problems } = await loadTests(folder, parsed.sources)
  const outside = { ...withoutStore(pino({ level: 'silent' })), fetch: () => Promise.reject(new Error('policy tests ask no other server')) }
  try {
    const { server } = await buildConfiguration(parsed, outside)
    const all = [...problems, ...checkCases(tests, server, parsed.sources)]
    return all.length > 0 ? { problems: all } : { server, sources: parsed.sources.files, tests, replaced }
  } catch (error) {
    if (error instanceof ConfigError) return { problems: [...error.problems, ...problems] }
    throw error
  }
}

function complainOf(problems: readonly Problem[]): number {
  for (const problem of inOrder(problems)) terminal.complain(describe(problem))
  return fail(`${counted(problems.length, 'problem')}; nothing was tested`)
}

/** The files that are named, or all; a text where one is not there. */
function choose(tests: readonly TestFile[], named: readonly string[], folder: string): readonly TestFile[] | string {
  const chosen: TestFile[] = []
  for (const name of named) {
    const path = relative(folder, resolve(name)).replaceAll('\\', '/')
    const found = tests.find(({ file, id }) => [file, id].includes(name) || file === path)
    if (found === undefined)
      return `there are no policy tests called ${name}${didYouMean(
        name,
        tests.flatMap(({ file, id }) => [file, id]),
      )}`
    if (!chosen.includes(found)) chosen.push(found)
  }
  return named.length === 0 ? tests : chosen
}

function filtered(tests: readonly TestFile[], filter: string | undefined): readonly TestFile[] {
  if (filter === undefined) return tests
  const fits = ({ name }: { readonly name: string }) => name.toLowerCase().includes(filter.toLowerCase())
  return tests.map(test => ({ ...test, cases: test.cases.filter(fits) })).filter(({ cases }) => cases.length > 0)
}

// A run that plays nothing must not look like one in which everything was right.
function nothingToPlay(tests: readonly TestFile[], filter: string | undefined): string {
  if (tests.length === 0) return 'there are no policy tests: policies/tests/ has no file'
  return `no case has a name with "${filter}" in it`
}

function report(results: readonly FileResult[], replaced: readonly AbsentText[], json: boolean): void {
  if (json) {
    const { cases, failed } = countOf(results)
    terminal.print(JSON.stringify({ ok: failed === 0, cases, failed, files: results, standIns: namesOf(replaced) }, undefined, 2))
    return
  }
  for (const line of inWords(results)) terminal.print(line)
  if (replaced.length > 0) terminal.print(`stand-ins for what is not here: ${namesOf(replaced).join(', ')}`)
}

/** The files and variables that are not here. */
export function namesOf(replaced: readonly AbsentText[]): readonly string[] {
  return [...new Set(replaced.map(({ external: { from, name } }) => (from === 'env' ? `$${name}` : name)))].sort()
}

function fail(why: string): number {
  terminal.complain(why)
  return 1
}
