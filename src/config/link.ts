import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { Findings } from './findings.ts'
import { type FolderKind, fileOf, folderKinds } from './folders.ts'
import type { ParsedFile } from './parse.ts'
import type { Path, Problem } from './problems.ts'
import type { Sources } from './read.ts'
import type { ServerSettings } from './server-file.ts'
import { didYouMean } from './suggest.ts'
import { Turns } from './turns.ts'
import { ExpressionSource, ExternalText, Reference, ScopeName } from './values.ts'

/** Reports every member that names a file or a scope which is not there. Scopes are not judged where `server.json` has problems. */
export async function checkReferences(
  parsed: readonly ParsedFile[],
  { files }: Sources,
  settings: ServerSettings | undefined,
): Promise<readonly Problem[]> {
  const findings = new Findings()
  const turns = new Turns()
  const scopes = settings && new Set(Object.keys(settings.scopes))
  const ids = new Map(folderKinds.map(kind => [kind, new Set(files.filter(file => file.kind === kind).map(({ id }) => id))]))
  for (const file of parsed) {
    await turns.next()
    for (const [path, { kind, id }] of findInstances(file.blueprint.settings, Reference)) {
      if (!ids.get(kind)?.has(id)) findings.report(file, path, dangling(kind, id, ids))
    }
    for (const [path, { name }] of findInstances(file.blueprint.settings, ScopeName)) {
      if (scopes?.has(name) === false) findings.report(file, path, `server.json lists no scope "${name}"${didYouMean(name, scopes)}`)
    }
    for (const { name, offset } of scopesOfExpression(file.blueprint.settings)) {
      if (scopes?.has(name) === false)
        findings.report(file, ['scope'], `server.json lists no scope "${name}"${didYouMean(name, scopes)}`, offset)
    }
  }
  return findings.problems
}

/** The scopes that stand as a list in the expression of a policy's `scope`. What is looked for in such a list is another matter. */
function scopesOfExpression({ scope }: { readonly scope?: unknown }): Array<{ readonly name: string; readonly offset: number }> {
  if (!(scope instanceof ExpressionSource)) return []
  const lists = [...scope.source.matchAll(/(?<!\bin\s*)\[\s*(?:(?:'[^'\\]*'|"[^"\\]*")\s*,?\s*)+\](?!\s*\.)/g)]
  return lists.flatMap(({ 0: list, index }) =>
    [...list.matchAll(/'([^']*)'|"([^"]*)"/g)].map(text => ({ name: text[1] ?? text[2] ?? '', offset: index + text.index + 1 })),
  )
}

function dangling(kind: FolderKind, id: string, ids: ReadonlyMap<FolderKind, ReadonlySet<string>>): string {
  const elsewhere = folderKinds.find(other => ids.get(other)?.has(id))
  const hint = elsewhere === undefined ? '' : `; ${fileOf(elsewhere, id)} is a file of another kind`
  return `there is no ${fileOf(kind, id)}${didYouMean(id, ids.get(kind) ?? []) || hint}`
}

/** A secret, key or certificate that stands outside, or what is wrong with it; `absent` when it is simply not there. */
export type FoundText = string | { readonly problem: string; readonly absent?: true }

/** Finds the secret, key or certificate that a file names. */
export type TextFinder = (external: ExternalText) => FoundText

/** Finds every secret, key and certificate that the files name. */
export async function findExternalTexts(parsed: readonly ParsedFile[], find: TextFinder) {
  const texts = new Map<ExternalText, string>()
  const absent: AbsentText[] = []
  const findings = new Findings()
  const turns = new Turns()
  for (const file of parsed) {
    await turns.next()
    for (const [path, external] of findInstances(file.blueprint.settings, ExternalText)) {
      const text = find(external)
      if (typeof text === 'string') {
        texts.set(external, text)
        continue
      }
      findings.report(file, path, text.problem)
      if (text.absent === true) absent.push({ external, file, path, message: text.problem })
    }
  }
  return { texts, absent, problems: findings.problems }
}

/** A secret, key or certificate that a file names and that is not here. It is among the problems too. */
export interface AbsentText {
  readonly external: ExternalText
  readonly file: ParsedFile
  readonly path: Path
  readonly message: string
}

/** Reads what stands in the environment or in a file, which is named relative to the folder of the configuration. */
export function readExternalText({ from, name }: ExternalText, folder: string, environment: NodeJS.ProcessEnv): FoundText {
  if (from === 'env') {
    const value = environment[name]
    if (value === undefined) return { problem: `the environment variable ${name} is not set`, absent: true }
    return value === '' ? { problem: `the environment variable ${name} is empty` } : value
  }
  try {
    const text = readFileSync(resolve(folder, name), 'utf8').replace(/\r?\n$/, '')
    return text === '' ? { problem: `the file ${name} is empty` } : text
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { problem: unreadable(name, code), ...(code === 'ENOENT' && { absent: true }) }
  }
}

function unreadable(name: string, code: string | undefined): string {
  if (code === 'ENOENT') return `there is no file ${name}${isAbsolute(name) ? '' : ' in the configuration folder'}`
  if (code === 'EACCES') return `this process may not read the file ${name}`
  return `the file ${name} cannot be read (${code === 'EISDIR' ? 'it is a folder' : code})`
}

/** All instances of a class within parsed settings, each with its path. */
export function findInstances<Value extends object>(settings: unknown, type: abstract new (...args: never) => Value): Array<[Path, Value]> {
  const found: Array<[Path, Value]> = []
  collect(settings, type, [], found)
  return found
}

function collect<Value extends object>(
  settings: unknown,
  type: abstract new (...args: never) => Value,
  path: PropertyKey[],
  found: Array<[Path, Value]>,
): void {
  if (settings instanceof type) found.push([[...path], settings])
  if (typeof settings !== 'object' || settings === null || settings instanceof type) return
  for (const name in settings) {
    const value = (settings as Record<string, unknown>)[name]
    if (typeof value !== 'object') continue
    path.push(Array.isArray(settings) ? Number(name) : name)
    collect(value, type, path, found)
    path.pop()
  }
}
