import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import type { SourceFile } from './read.ts'
import { didYouMean } from './suggest.ts'

/** What each file keeps to itself. */
const notInherited = ['resources', 'audiences', 'description', '$schema', 'extends']

/** The file's value with what it inherits, or why that cannot be had. `extends` names a file of the same folder and type. */
export function withInherited(source: SourceFile, siblings: ReadonlyMap<string, SourceFile>): { value: JsonObject } | { problem: string } {
  const chain: SourceFile[] = []
  for (let current: SourceFile | undefined = source; current !== undefined; ) {
    if (chain.includes(current))
      return { problem: `${[...chain, current].map(file => file.id).join(' extends ')}: a file cannot extend itself` }
    chain.push(current)
    const next = parentOf(current)
    if (next === undefined) break
    if (!siblings.has(next)) return { problem: `there is no "${next}" in this folder${didYouMean(next, siblings.keys())}` }
    current = siblings.get(next)
  }
  const own = objectOf(source)
  const stranger = chain.map(objectOf).find(ancestor => own.type !== undefined && ancestor.type !== undefined && ancestor.type !== own.type)
  if (stranger !== undefined) return { problem: `it is of type "${String(stranger.type)}", this file of type "${String(own.type)}"` }
  return { value: Object.assign({}, ...chain.slice(1).reverse().map(inheritable), own) as JsonObject }
}

function parentOf(source: SourceFile): string | undefined {
  const name: JsonValue | undefined = objectOf(source).extends
  return typeof name === 'string' ? name : undefined
}

function objectOf(source: SourceFile): JsonObject {
  return isJsonObject(source.text.value) ? source.text.value : {}
}

function inheritable(source: SourceFile): JsonObject {
  return Object.fromEntries(Object.entries(objectOf(source)).filter(([name]) => !notInherited.includes(name)))
}
