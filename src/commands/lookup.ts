import { resolve } from 'node:path'
import { pino } from 'pino'
import { buildConfiguration, type Loaded, type Parsed, parseConfiguration } from '../config/load.ts'
import { ConfigError, describe } from '../config/problems.ts'
import { readSources } from '../config/read.ts'
import { settingPlace } from '../config/setting-place.ts'
import { withStandIns } from '../config/stand-ins.ts'
import { didYouMean } from '../config/suggest.ts'
import { linesOfLookup } from '../explain/print.ts'
import { type MappingWithLookups, mappingsOf, type TriedLookups, tryLookups } from '../explain/try-lookups.ts'
import type { ExpressionContext, Variables } from '../expressions/expression.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { type Keeping, Kept } from '../kept.ts'
import type { Lookup } from '../policies/lookup.ts'
import type { Server } from '../server.ts'
import { terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import { systemTime, withoutStore } from '../world.ts'
import { type Command, configOption, readOptions } from './command.ts'

const text = { type: 'string' } as const
const options = {
  ...configOption,
  connection: { type: 'boolean', default: false },
  lookup: text,
  ...{ subject: text, actor: text, assertion: text, policy: text, act: text, context: text },
  json: { type: 'boolean', default: false },
} as const
type Values = ReturnType<typeof readOptions<typeof options>>['values']

/** `cambist lookup`: makes the lookups of a mapping for an administrator. */
export const lookup: Command = {
  name: 'lookup',
  usage:
    "lookup POLICY [MAPPING] [--lookup NAME] --subject '{ … }' … | lookup CONNECTION --connection --assertion '{ … }' [--json] [--config DIR]",
  summary: 'make the lookups of a mapping, and show what was asked and found',
  help: [
    'Makes the lookups of one mapping as an exchange would, and prints each query with its values, and the answer. It really',
    'asks the data stores, and only reads. MAPPING is processors[0], issues[1] and so on; where only one mapping has the',
    'lookup, it need not be named. --connection: the name is that of an IdP connection, whose mappings are called',
    'attributes and generators[0]. Secrets and keys that no data store needs may be absent.',
    '',
    '  --lookup NAME            stop after this one; the lookups before it are made too. Absent: all of the mapping',
    '  --subject JSON           what the subject token says: \'{ "email": "alice@example.com" }\'',
    '  --actor JSON             the same of the actor token',
    '  --assertion JSON         what the token of an IdP connection says',
    '  --policy JSON, --act JSON                          for issues and generators: what the policy has learned, who acts',
    '  --context JSON           members of context that the queries read, beside what an empty request has',
    '  --json                   for programs',
    '',
    'Exits 0 when an exchange would go on, 1 when not.',
  ].join('\n'),
  async run(args) {
    const { values, positionals } = readOptions(args, options, 2)
    const [name, mapping] = positionals
    if (name === undefined) throw new UsageError('name a processor policy, or with --connection an IdP connection')
    const variables = variablesOf(values)
    const kept = new Kept().draft()
    try {
      return await tryIn(resolve(values.config), { ...values, name, mapping, variables }, kept)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      for (const problem of error.problems) terminal.complain(describe(problem))
      terminal.complain('the configuration has problems; nothing can be looked up with it')
      return 1
    } finally {
      await kept.discard()
    }
  },
}

interface Asked extends Pick<Values, 'connection' | 'lookup' | 'json'> {
  readonly name: string
  readonly mapping: string | undefined
  readonly variables: Variables
}

async function tryIn(folder: string, asked: Asked, kept: Keeping): Promise<number> {
  const parsed = await parsedFor(folder)
  const { server }: Loaded = await buildConfiguration(parsed, withoutStore(pino({ level: 'silent' })), kept)
  const tried = await tryLookups(choose(server, asked), asked.variables)
  if (asked.json) terminal.print(JSON.stringify(tried, undefined, 2))
  else for (const line of inWords(tried, setting => settingPlace(setting, parsed.sources.files))) terminal.print(line)
  return tried.refusal === undefined ? 0 : 1
}

/** The configuration, in which only what data stores are opened with has to be here: nobody else is asked for a secret. */
async function parsedFor(folder: string): Promise<Parsed> {
  const parsed = await parseConfiguration(await readSources(folder), folder, process.env)
  const needed = parsed.absent.some(({ file }) => file.source.kind === 'data-stores')
  return needed ? parsed : (await withStandIns(parsed)).parsed
}

/** The lookups to make, in order. */
function choose(server: Server, { connection, name, mapping, lookup: last }: Asked): readonly Lookup[] {
  const kind = connection ? 'idp-connections' : 'processor-policies'
  const mappings = mappingsOf(server, kind, name)
  if (mappings === undefined)
    throw new UsageError(noSuch(connection ? 'IdP connection' : 'processor policy', name, [...namesIn(server, connection)]))
  const { lookups } = theOne(mappings, mapping, last)
  return last === undefined ? lookups : lookups.slice(0, lookups.findIndex(each => each.name === last) + 1)
}

function namesIn(server: Server, connection: boolean): Iterable<string> {
  return connection ? server.connections.keys() : server.policies.keys()
}

function theOne(mappings: readonly MappingWithLookups[], named: string | undefined, last: string | undefined): MappingWithLookups {
  const names = mappings.map(({ name }) => name)
  if (named !== undefined && !names.includes(named)) throw new UsageError(noSuch('mapping with lookups', named, names))
  const near = mappings.filter(({ name }) => named === undefined || name === named)
  const fitting = near.filter(({ lookups }) => last === undefined || lookups.some(({ name }) => name === last))
  const [first, second] = fitting
  if (first === undefined)
    throw new UsageError(
      noSuch(
        'lookup',
        last ?? '',
        near.flatMap(({ lookups }) => lookups.map(({ name }) => name)),
      ),
    )
  if (second !== undefined) throw new UsageError(`name the mapping: ${fitting.map(({ name }) => name).join(', ')}`)
  return first
}

function noSuch(what: string, name: string, known: readonly string[]): string {
  if (name === '' || known.length === 0) return `there is no ${what}${known.length === 0 ? '' : `; there are ${known.join(', ')}`}`
  return `there is no ${what} "${name}"${didYouMean(name, known) || `; there are ${known.join(', ')}`}`
}

function variablesOf(values: Values): Variables {
  const { subject, actor, assertion, policy, act, context } = values
  return {
    ...(subject !== undefined && { subject: parsed('subject', subject) }),
    ...(assertion !== undefined && { assertion: parsed('assertion', assertion) }),
    ...(policy !== undefined && { policy: parsed('policy', policy) }),
    actor: actor === undefined ? null : parsed('actor', actor),
    act: act === undefined ? null : (parsed('act', act) as Variables['act'] & object),
    context: { ...emptyContext(), ...(context !== undefined && parsed('context', context)) } as ExpressionContext,
  }
}

function parsed(option: string, source: string): JsonObject {
  try {
    const value: unknown = JSON.parse(source)
    if (isJsonObject(value)) return value
  } catch {
    // Said below: what stands there may be somebody's data.
  }
  throw new UsageError(`--${option} takes a JSON object: '{ "email": "alice@example.com" }'`)
}

function emptyContext(): ExpressionContext {
  const nothing = { scopes: [], grantedScopes: [], resources: [], audiences: [] }
  return { clientId: '', client: {}, clientIp: '', requestedTokenType: '', ...nothing, now: new Date(systemTime() * 1000) }
}

function inWords({ made, refusal }: TriedLookups, locate: (setting: string) => string): string[] {
  const lines = made.flatMap(linesOfLookup).map(line => line.slice(4))
  if (refusal === undefined) return lines
  const { error, description, because, setting } = refusal
  const place = setting === undefined ? '' : `, by ${locate(setting)}`
  return [...lines, `an exchange is refused: ${error} (${because})${place}`, `  ${description}`]
}
