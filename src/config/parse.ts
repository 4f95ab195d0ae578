import type { z } from 'zod'
import { accessTokenManagerKinds } from '../access-tokens/index.ts'
import { clientFile } from '../clients/client-file.ts'
import { dataStoreKinds } from '../data-stores/index.ts'
import { tokenGeneratorKinds } from '../generators/index.ts'
import { isJsonObject } from '../json.ts'
import { keyFile } from '../keys/key-file.ts'
import type { Blueprint, PluginKind } from '../plugin.ts'
import { nameOf, placeThrown } from '../plugins/fault.ts'
import { noPlugins, type Plugins } from '../plugins/plugin-package.ts'
import { connectionFile } from '../policies/connection-file.ts'
import { groupFile } from '../policies/group-file.ts'
import { policyFile } from '../policies/policy-file.ts'
import { policyTestFile } from '../policy-tests/test-file.ts'
import { tokenProcessorKinds } from '../processors/index.ts'
import { Findings, type InheritingFile } from './findings.ts'
import { type FolderKind, schemaNames } from './folders.ts'
import { type Inherited, withInherited } from './inherit.ts'
import type { Path, Problem } from './problems.ts'
import type { SourceFile, Sources } from './read.ts'
import { serverFile } from './server-file.ts'
import { didYouMean } from './suggest.ts'
import { Turns } from './turns.ts'
import { problemsOf } from './zod-problems.ts'

/** A file whose members all have the right shape. */
export interface ParsedFile extends InheritingFile {
  readonly blueprint: Blueprint<unknown>
}

/** The kinds of plug-in that live in a folder, by their `type`. */
export const pluginKinds: Readonly<Partial<Record<FolderKind, readonly PluginKind<unknown>[]>>> = {
  'data-stores': dataStoreKinds,
  'token-processors': tokenProcessorKinds,
  'access-token-managers': accessTokenManagerKinds,
  'token-generators': tokenGeneratorKinds,
}

/** Folders whose files all have one schema. */
export const plainFiles = {
  server: serverFile,
  'generator-groups': groupFile,
  'processor-policies': policyFile,
  'idp-connections': connectionFile,
  clients: clientFile,
  keys: keyFile,
  tests: policyTestFile,
} as const

/** Applies the schemas to all files, each with what it inherits. `plugins` adds types to those of our own. */
export async function parseFiles(
  { files }: Sources,
  plugins: Plugins = noPlugins,
): Promise<{ parsed: ParsedFile[]; problems: readonly Problem[] }> {
  const findings = new Findings()
  const siblings = siblingsOf(files)
  const turns = new Turns()
  const parsed: ParsedFile[] = []
  for (const source of files) {
    await turns.next()
    const file = parseFile(source, { siblings, plugins, findings })
    if (file !== undefined) parsed.push(file)
  }
  return { parsed, problems: findings.problems }
}

type Siblings = Readonly<Partial<Record<FolderKind, ReadonlyMap<string, SourceFile>>>>

function siblingsOf(files: readonly SourceFile[]): Siblings {
  const kinds = Object.keys(pluginKinds) as FolderKind[]
  return Object.fromEntries(
    kinds.map(kind => [kind, new Map(files.filter(file => file.kind === kind).map(file => [file.id, file] as const))]),
  )
}

const nothing: ReadonlyMap<string, SourceFile> = new Map()

interface Surroundings {
  readonly siblings: Siblings
  readonly plugins: Plugins
  readonly findings: Findings
}

function parseFile(source: SourceFile, { siblings, plugins, findings }: Surroundings): ParsedFile | undefined {
  const { value } = source.text
  if (value === undefined) return undefined
  const report = (path: Path, message: string) => findings.report({ source, inherited: nothing }, path, message)
  if (!isJsonObject(value)) return void report([], 'expected a JSON object: { … }')
  const kinds = source.kind === 'server' || source.kind === 'tests' ? undefined : kindsOf(source.kind, plugins)
  if (kinds === undefined)
    return applySchema({ schema: plainFiles[source.kind as keyof typeof plainFiles] }, source, { value, inherited: nothing }, findings)
  const whole = withInherited(source, siblings[source.kind as FolderKind] ?? nothing)
  if ('problem' in whole) return whole.problem === undefined ? undefined : void report(['extends'], whole.problem)
  const { type } = whole.value
  const kind = kinds.find(candidate => candidate.type === type)
  if (kind !== undefined) return applySchema(kind, source, whole, findings)
  // It may be a type of the package that could not be loaded, which is reported.
  if (typeof type !== 'string' || plugins.problems.length === 0)
    findings.report({ source, inherited: whole.inherited }, ['type'], `${typeProblem(type, kinds)}${waitingHint(plugins)}`)
  return undefined
}

/** The kinds of a folder: our own, then those of plug-ins. */
export function kindsOf(folder: FolderKind, { packages }: Pick<Plugins, 'packages'>): readonly PluginKind<unknown>[] | undefined {
  const own = pluginKinds[folder]
  return own && [...own, ...packages.flatMap(({ kinds }) => kinds[folder] ?? [])]
}

function waitingHint({ waiting }: Plugins): string {
  return waiting.length === 0 ? '' : `; the types of ${waiting.join(', ')} are known after a restart only`
}

function applySchema(
  { schema, from }: Pick<PluginKind<unknown>, 'schema' | 'from'>,
  source: SourceFile,
  { value, inherited }: Inherited,
  findings: Findings,
): ParsedFile | undefined {
  checkSchemaName(source, findings)
  const result = from === undefined ? schema.safeParse(value) : parsedByPlugin(schema, value)
  if (typeof result === 'string') return void findings.report({ source, inherited }, ['type'], `the plug-in ${from} ${result}`)
  if (result.success) return { source, inherited, blueprint: result.data }
  for (const { path, message } of problemsOf(result.error, value)) findings.report({ source, inherited }, path, message)
  return undefined
}

// What a plug-in makes of settings is its own code, and may throw.
function parsedByPlugin(schema: z.ZodType<Blueprint<unknown>>, value: unknown) {
  try {
    return schema.safeParse(value)
  } catch (error) {
    const what = error instanceof Error ? nameOf(error) : `a value of type ${typeof error}`
    return `threw ${what} while it looked at these settings ${placeThrown(error)}`.trimEnd()
  }
}

// An editor that was told the wrong schema finds fault with what is right, and nothing wrong with what is not.
function checkSchemaName(source: SourceFile, findings: Findings): void {
  const named = (source.text.value as { readonly $schema?: unknown }).$schema
  const expected = schemaNames[source.kind]
  if (typeof named !== 'string' || !named.endsWith('.schema.json') || named.split('/').at(-1) === expected) return
  findings.report({ source, inherited: nothing }, ['$schema'], `is not the schema of this kind of file, which is "${expected}"`)
}

function typeProblem(type: unknown, kinds: readonly PluginKind<unknown>[]): string {
  const types = kinds.map(kind => kind.type)
  const known = `expected one of ${types.map(name => `"${name}"`).join(', ')}`
  if (type === undefined) return `is missing (${known})`
  return typeof type === 'string' ? `there is no type "${type}"${didYouMean(type, types) || `; ${known}`}` : known
}
