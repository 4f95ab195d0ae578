import pino from 'pino'
import { SchemaCompiler } from '../../../src/config/json-schema.ts'
import type { Path } from '../../../src/config/problems.ts'
import type { ExternalText, TemplateSource } from '../../../src/config/values.ts'
import type { DataStore, LookupParts, PreparedQuery, QueryValue, Row, Slot, Template } from '../../../src/data-stores/data-store.ts'
import { ldap } from '../../../src/data-stores/ldap.ts'
import type { JsonObject } from '../../../src/json.ts'
import { Kept, type KeptDraft } from '../../../src/kept.ts'
import { type Parts, type Probe, SettingProblem } from '../../../src/plugin.ts'
import { reader, suffix } from '../../real/ldap-people.ts'

/** A store as the loader has built it, and what was said about its file. */
export interface BuiltStore {
  readonly store: DataStore | undefined
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  readonly probes: readonly Probe[]
  readonly kept: KeptDraft
}

const text = { type: ['string', 'null'] }
const texts = { type: 'array', items: { type: 'string' } }

/** A file of a store for the test directory at this address. */
export function storeFile(url: string | readonly string[], more: object = {}): Record<string, unknown> {
  return {
    servers: typeof url === 'string' ? [url] : url,
    bindDn: reader.dn,
    password: { env: 'PASSWORD' },
    base: suffix,
    attributes: { uid: text, cn: text, employeeNumber: text, dn: { type: 'string' }, mail: texts },
    ...more,
  }
}

/** Builds a store from its file as the loader does. */
export async function buildStore(file: object, texts: Readonly<Record<string, string>> = {}): Promise<BuiltStore> {
  const problems: string[] = []
  const warnings: string[] = []
  const probes: Probe[] = []
  const kept = new Kept().draft()
  const at = (path: Path) => path.map(String).join('.')
  const schemas = new SchemaCompiler()
  const parts = {
    id: 'directory',
    outside: { now: () => Date.now() / 1000, log: pino({ level: 'silent' }) },
    kept,
    text: ({ name }: ExternalText) => ({ PASSWORD: reader.password, ...texts })[name] ?? '',
    jsonSchema: (schema: JsonObject) => schemas.compile(schema),
    problem: (path: Path, message: string) => problems.push(`${at(path)}: ${message}`),
    warn: (code: string, path: Path) => warnings.push(`${code} ${at(path)}`),
    probe: (probe: Probe) => probes.push(probe),
  } as unknown as Parts
  const parsed = ldap.schema.safeParse({ type: 'ldap', ...file })
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map(issue => `${at(issue.path)}: ${issue.message}`))
    return { store: undefined, problems, warnings, probes, kept }
  }
  try {
    return { store: await parsed.data.build(parts), problems, warnings, probes, kept }
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error
    problems.push(`${at(error.path)}: ${error.message}`)
    return { store: undefined, problems, warnings, probes, kept }
  }
}

/** A lookup, and what was said about it. `{name}` in its texts is the place of that value. */
export function prepareLookup(store: DataStore, lookup: object, more: Partial<LookupParts> = {}) {
  const problems: string[] = []
  const warnings: string[] = []
  const names: string[] = []
  const parts: LookupParts = {
    attributes: Object.keys(store.attributes),
    atMost: 2,
    timeout: 10,
    template: source => templateOf(source, names),
    problem: (path, message) => problems.push(`${path.map(String).join('.')}: ${message}`),
    warn: (code, path) => warnings.push(`${code} ${path.map(String).join('.')}`),
    ...more,
  }
  const parsed = store.lookup.safeParse(lookup)
  if (!parsed.success) throw new Error(parsed.error.message)
  const prepared = store.client.prepare(parsed.data, parts)
  return { prepared, problems, warnings, names }
}

function templateOf({ source }: TemplateSource, names: string[]): Template {
  const pieces: Array<Slot | { text: string; offset: number }> = []
  let offset = 0
  for (const part of source.split(/(\{\w+\})/)) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name !== undefined) pieces.push({ value: names.push(name) - 1, source: name, offset })
    else if (part !== '') pieces.push({ text: part, offset })
    offset += part.length
  }
  return { source, pieces }
}

/** Opens a store that has no problems, for many questions. */
export async function openStore(file: object, texts: Readonly<Record<string, string>> = {}): Promise<OpenStore> {
  const built = await buildStore(file, texts)
  if (built.store === undefined || built.problems.length > 0) throw new Error(`problems: ${built.problems.join('; ')}`)
  return new OpenStore(built.store, built.kept)
}

/** A store that is asked. */
export class OpenStore {
  readonly store: DataStore
  readonly #kept: KeptDraft

  constructor(store: DataStore, kept: KeptDraft) {
    this.store = store
    this.#kept = kept
  }

  prepare(lookup: object, more: Partial<LookupParts> = {}): PreparedQuery {
    const { prepared, problems } = prepareLookup(this.store, lookup, more)
    if (problems.length > 0) throw new Error(`problems: ${problems.join('; ')}`)
    return prepared
  }

  /** What is found, within so many milliseconds. */
  ask(lookup: object, values: readonly QueryValue[] = [], more: Partial<LookupParts> = {}, milliseconds = 20_000): Promise<readonly Row[]> {
    return this.prepare(lookup, more).run(values, AbortSignal.timeout(milliseconds))
  }

  async close(): Promise<void> {
    await this.#kept.discard()
  }
}
