import type { z } from 'zod'
import { accessTokenManagerKinds } from '../access-tokens/index.ts'
import { clientFile } from '../clients/client-file.ts'
import { tokenGeneratorKinds } from '../generators/index.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { keyFile } from '../keys/key-file.ts'
import type { Blueprint, PluginKind } from '../plugin.ts'
import { groupFile } from '../policies/generator-group.ts'
import { policyFile } from '../policies/policy-file.ts'
import { tokenProcessorKinds } from '../processors/index.ts'
import type { FolderKind } from './folders.ts'
import { withInherited } from './inherit.ts'
import { type Path, type Problem, placeOf } from './problems.ts'
import type { SourceFile, Sources } from './read.ts'
import { serverFile } from './server-file.ts'
import { didYouMean } from './suggest.ts'
import { problemsOf } from './zod-problems.ts'

/** A file whose members all have the right shape. */
export interface ParsedFile {
  readonly source: SourceFile
  readonly blueprint: Blueprint<unknown>
}

/** The kinds of plug-in that live in a folder, by their `type`. */
export const pluginKinds: Readonly<Partial<Record<FolderKind, readonly PluginKind<unknown>[]>>> = {
  'token-processors': tokenProcessorKinds,
  'access-token-managers': accessTokenManagerKinds,
  'token-generators': tokenGeneratorKinds,
}

/** Folders whose files all have one schema. */
export const plainFiles = {
  server: serverFile,
  'generator-groups': groupFile,
  'processor-policies': policyFile,
  clients: clientFile,
  keys: keyFile,
} as const

/** Applies the schemas to all files, each with what it inherits. */
export function parseFiles(sources: Sources): { parsed: ParsedFile[]; problems: Problem[] } {
  const problems: Problem[] = []
  const parsed: ParsedFile[] = []
  for (const source of sources.files) {
    if (source.text.value === undefined) continue
    const report = (path: Path, message: string) => problems.push({ place: placeOf(source.file, source.text, path), message })
    const blueprint = parseFile(source, sources, report)
    if (blueprint !== undefined) parsed.push({ source, blueprint })
  }
  return { parsed, problems }
}

type Report = (path: Path, message: string) => void

function parseFile(source: SourceFile, sources: Sources, report: Report): Blueprint<unknown> | undefined {
  if (!isJsonObject(source.text.value)) return void report([], 'expected a JSON object')
  const kinds = source.kind === 'server' ? undefined : pluginKinds[source.kind]
  if (kinds === undefined) return applySchema(plainFiles[source.kind as keyof typeof plainFiles], source, source.text.value, report)
  const siblings = new Map(sources.files.filter(file => file.kind === source.kind).map(file => [file.id, file]))
  const inherited = withInherited(source, siblings)
  if ('problem' in inherited) return void report(['extends'], inherited.problem)
  const { type } = inherited.value
  const kind = kinds.find(candidate => candidate.type === type)
  if (kind === undefined) return void report(['type'], typeProblem(type, kinds))
  return applySchema(kind.schema, source, inherited.value, report)
}

function applySchema(
  schema: z.ZodType<Blueprint<unknown>>,
  source: SourceFile,
  value: JsonObject,
  report: Report,
): Blueprint<unknown> | undefined {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  for (const { path, message } of problemsOf(result.error, value)) {
    const inherited = path[0] !== undefined && Object.hasOwn(value, path[0]) && !source.text.has([path[0]])
    if (inherited) report(['extends'], `inherits a mistake in "${String(path[0])}": ${message}`)
    else report(path, message)
  }
  return undefined
}

function typeProblem(type: unknown, kinds: readonly PluginKind<unknown>[]): string {
  const types = kinds.map(kind => kind.type)
  const known = `expected one of ${types.map(name => `"${name}"`).join(', ')}`
  if (type === undefined) return `is missing (${known})`
  return typeof type === 'string' ? `there is no type "${type}"${didYouMean(type, types) || `; ${known}`}` : known
}
