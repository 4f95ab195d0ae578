import { readFile, realpath } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'

/** A package as it lies on the disk. */
export interface FoundPackage {
  /** Where it really lies. */
  readonly folder: string
  readonly version: string
  /** The file that is imported; undefined where its package.json names none. */
  readonly entry: string | undefined
}

/** Finds a package as Node would from there: in `node_modules` of the first of these folders that leads to it. */
export async function findPackage(name: string, from: readonly string[]): Promise<FoundPackage | undefined> {
  if (isBuiltin(name)) return undefined
  for (const start of from) {
    for (let folder = resolve(start); ; folder = dirname(folder)) {
      const found = await readPackage(join(folder, 'node_modules', name))
      if (found !== undefined) return found
      if (folder === dirname(folder)) break
    }
  }
  return undefined
}

async function readPackage(folder: string): Promise<FoundPackage | undefined> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const real = await realpath(folder)
  const manifest = parseManifest(text)
  const entry = entryOf(manifest)
  return { folder: real, version: String(manifest.version ?? 'without a version'), entry: entry && resolve(real, entry) }
}

function parseManifest(text: string): JsonObject {
  try {
    const manifest: unknown = JSON.parse(text)
    return isJsonObject(manifest) ? manifest : {}
  } catch {
    return {}
  }
}

function entryOf({ exports, main }: JsonObject): string | undefined {
  if (exports === undefined || exports === null) return typeof main === 'string' ? main : 'index.js'
  const whole = isJsonObject(exports) && Object.hasOwn(exports, '.') ? exports['.'] : exports
  return conditional(whole)
}

const conditions = ['node', 'import', 'default']

/** The first target whose conditions hold for an import by Node (Node.js packages, "Conditional exports"). */
function conditional(target: JsonValue | undefined): string | undefined {
  if (typeof target === 'string') return target
  if (!isJsonObject(target)) return undefined
  for (const [condition, inner] of Object.entries(target)) {
    const found = conditions.includes(condition) ? conditional(inner) : undefined
    if (found !== undefined) return found
  }
  return undefined
}
