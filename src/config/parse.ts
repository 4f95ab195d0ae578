import type { z } from 'zod'
import { accessTokenManagerKinds } from '../access-tokens/index.ts'
import { clientFile } from '../clients/client-file.ts'
import { dataStoreKinds } from '../data-stores/index.ts'
import { tokenGeneratorKinds } from '../generators/index.ts'
import { isJsonObject } from '../json.ts'
import { keyFile } from '../keys/key-file.ts'
import type { Blueprint, PluginKind } from '../plugin.ts'
import { connectionFile } from '../policies/connection-file.ts'
import { groupFile } from '../policies/generator-group.ts'
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

/** Applies the schemas to all files, each with what it inherits. */
export async function parseFiles({ files }: Sources): Promise<{ parsed: ParsedFile[]; problems: readonly Problem[] }> {
  const findings = new Findings()
  const siblings = siblingsOf(files)
  const turns = new Turns()
  const parsed: ParsedFile[] = []
  for (const source of files) {
    await turns.next()
    const file = parseFile(source, siblings, findings)
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

function parseFile(source: SourceFile, siblings: Siblings, findings: Findings): ParsedFile | undefined {
  const { value } = source.text
  if (value === undefined) return undefined
  const report = (path: Path, message: string) => findings.report({ source, inherited: nothing }, path, message)
  if (!isJsonObject(value)) return void report([], 'expected a JSON object: { … }')
  const kinds = source.kind === 'server' || source.kind === 'tests' ? undefined : pluginKinds[source.kind]
  if (kinds === undefined)
    return applySchema(plainFiles[source.kind as keyof typeof plainFiles], source, { value, inherited: nothing }, findings)
  const whole = withInherited(source, siblings[source.kind as FolderKind] ?? nothing)
  if ('problem' in whole) return whole.problem === undefined ? undefined : void report(['extends'], whole.problem)
  const { type } = whole.value
  const kind = kinds.find(candidate => candidate.type === type)
  if (kind !== undefined) return applySchema(kind.schema, source, whole, findings)
  findings.report({ source, inherited: whole.inherited }, ['type'], typeProblem(type, kinds))
  return undefined
}

function applySchema(
  schema: z.ZodType<Blueprint<unknown>>,
  source: SourceFile,
  { value, inherited }: Inherited,
  findings: Findings,
): ParsedFile | undefined {
  checkSchemaName(source, findings)
  const result = schema.safeParse(value)
  if (result.success) return { source, inherited, blueprint: result.data }
  for (const { path, message } of problemsOf(result.error, value)) findings.report({ source, inherited }, path, message)
  return undefined
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
