import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileOf } from './folders.ts'
import type { ParsedFile } from './parse.ts'
import { type Path, type Problem, placeOf } from './problems.ts'
import type { Sources } from './read.ts'
import { didYouMean } from './suggest.ts'
import { ExternalText, Reference } from './values.ts'

/** Reports every member that names a file which is not there. */
export function checkReferences(parsed: readonly ParsedFile[], sources: Sources): Problem[] {
  const ids = new Map<string, string[]>()
  for (const { kind, id } of sources.files) ids.set(kind, [...(ids.get(kind) ?? []), id])
  return parsed.flatMap(({ source, blueprint }) =>
    findInstances(blueprint.settings, Reference)
      .filter(([, { kind, id }]) => !ids.get(kind)?.includes(id))
      .map(([path, { kind, id }]) => ({
        place: placeOf(source.file, source.text, path),
        message: `there is no ${fileOf(kind, id)}${didYouMean(id, ids.get(kind) ?? [])}`,
      })),
  )
}

/** Reads every secret, key and certificate that the files name. */
export async function readExternalTexts(parsed: readonly ParsedFile[], folder: string, environment: NodeJS.ProcessEnv) {
  const texts = new Map<ExternalText, string>()
  const problems: Problem[] = []
  await Promise.all(
    parsed.flatMap(({ source, blueprint }) =>
      findInstances(blueprint.settings, ExternalText).map(async ([path, external]) => {
        const text = await readExternalText(external, folder, environment)
        if (typeof text === 'string') texts.set(external, text)
        else problems.push({ place: placeOf(source.file, source.text, path), message: text.problem })
      }),
    ),
  )
  return { texts, problems }
}

async function readExternalText(
  { from, name }: ExternalText,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<string | { problem: string }> {
  if (from === 'env') {
    const value = environment[name]
    return value === undefined || value === '' ? { problem: `the environment variable ${name} is not set` } : value
  }
  try {
    const text = (await readFile(resolve(folder, name), 'utf8')).replace(/\r?\n$/, '')
    return text === '' ? { problem: `the file ${name} is empty` } : text
  } catch (error) {
    return { problem: `the file ${name} cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}

/** All instances of a class within parsed settings, each with its path. */
export function findInstances<Value extends object>(
  settings: unknown,
  type: abstract new (...args: never) => Value,
  path: Path = [],
): Array<[Path, Value]> {
  if (settings instanceof type) return [[path, settings]]
  if (Array.isArray(settings)) return settings.flatMap((item, index) => findInstances(item, type, [...path, index]))
  if (typeof settings !== 'object' || settings === null) return []
  return Object.entries(settings).flatMap(([name, value]) => findInstances(value, type, [...path, name]))
}
