import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { Builder, type Built } from '../config/build.ts'
import { editorSchemas } from '../config/editor-schemas.ts'
import { Findings } from '../config/findings.ts'
import { parseSources } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { sourcesOf } from '../config/read.ts'
import type { ExternalText } from '../config/values.ts'
import type { JsonObject } from '../json.ts'
import { Kept } from '../kept.ts'
import type { Instant, Outside } from '../outside.ts'
import { noPlugins, type Plugins } from '../plugins/plugin-package.ts'
import { kindsExportedBy } from '../plugins/read-exports.ts'
import { memoryStore } from '../stores/memory.ts'
import type { Samples } from './samples.ts'

/** What the files of the samples became. */
export interface Stage {
  readonly built: Built
  readonly issuer: string
  now(): Instant
  /** The schemas for editors, with the types of the plug-ins. */
  readonly schemas: Readonly<Record<string, JsonObject>>
}

const issuer = 'https://sts.example.com'
const plainServer = { issuer, store: { type: 'memory' } }

/** Builds the files as the server would. Throws a `ConfigError` with all that is wrong with them. */
export async function stageOf(module: object | undefined, { files, texts = {} }: Samples): Promise<Stage> {
  const plugins = module === undefined ? noPlugins : pluginsIn(module)
  const all = Object.entries({ 'server.json': plainServer, ...files })
  const sources = await sourcesOf(all.map(([file, value]) => ({ file, content: Buffer.from(JSON.stringify(value, undefined, 2)) })))
  const find = ({ from, name }: ExternalText) => texts[`${from}:${name}`] ?? { problem: `the samples have no text "${from}:${name}"` }
  const parsed = await parseSources(sources, find, async () => plugins)
  const findings = new Findings()
  const outside = outsideOfChecks()
  const built = await new Builder({ server: parsed.settings, texts: parsed.texts, outside, kept: new Kept().draft(), findings }).build(
    parsed.files,
  )
  const problems = [...parsed.problems, ...findings.problems]
  if (problems.length > 0) throw new ConfigError(problems)
  return { built, issuer: parsed.settings?.issuer ?? issuer, now: outside.now, schemas: editorSchemas(plugins) }
}

function pluginsIn(module: object): Plugins {
  const name = 'the package'
  const kinds = kindsExportedBy(module, name)
  if (typeof kinds === 'string') throw new Error(`${name} ${kinds}`)
  return { ...noPlugins, packages: [{ name, version: '0.0.0', kinds, files: [], digest: '' }] }
}

function outsideOfChecks(): Outside {
  const now = () => Date.now() / 1000
  const fetch = () => Promise.reject(new Error('the checks ask no other server'))
  return { fetch, effects: undefined, now, store: memoryStore(now), log: pino({ level: 'silent' }), random: randomBytes }
}
