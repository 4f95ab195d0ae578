import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { type FolderKind, fileOf } from './folders.ts'
import type { SourceFile } from './read.ts'
import { didYouMean } from './suggest.ts'

/** What each file keeps to itself. */
const notInherited = ['resources', 'audiences', 'description', '$schema', 'extends']

/** A file's value with what it inherits, and from which file each inherited member comes. */
export interface Inherited {
  readonly value: JsonObject
  readonly inherited: ReadonlyMap<string, SourceFile>
}

/**
 * The file's value with what it inherits, or why that cannot be had. `extends` names a file of the same folder and type. What is
 * wrong in a file that it extends is that file's problem: it gives undefined here.
 */
export function withInherited(source: SourceFile, siblings: ReadonlyMap<string, SourceFile>): Inherited | { problem: string | undefined } {
  const chain = [source]
  for (let name = parentOf(source); name !== undefined; ) {
    const parent = siblings.get(name)
    if (parent === undefined) return { problem: chain.length > 1 ? undefined : missing(source, name, siblings) }
    if (chain.includes(parent)) return { problem: parent === source ? circle([...chain, parent]) : undefined }
    if (!isJsonObject(parent.text.value)) return { problem: undefined }
    chain.push(parent)
    name = parentOf(parent)
  }
  const [own, ...inherited] = chain.filter(file => objectOf(file).type !== undefined)
  if (own === source && inherited[0] !== undefined && objectOf(inherited[0]).type !== objectOf(source).type)
    return { problem: `"${inherited[0].id}" is of type ${typeOf(inherited[0])}, and this file of type ${typeOf(source)}` }
  return collect(chain)
}

function missing(source: SourceFile, name: string, siblings: ReadonlyMap<string, SourceFile>): string {
  return `there is no ${fileOf(source.kind as FolderKind, name)}${didYouMean(name, siblings.keys())}`
}

function circle(chain: readonly SourceFile[]): string {
  return `${chain.map(file => `"${file.id}"`).join(' extends ')}: a file cannot extend itself`
}

function typeOf(source: SourceFile): string {
  return JSON.stringify(objectOf(source).type)
}

// From the nearest file to the farthest: whoever says something first is heard.
function collect([source, ...ancestors]: readonly SourceFile[]): Inherited {
  const value: Record<string, JsonValue | undefined> = source === undefined ? {} : { ...objectOf(source) }
  const inherited = new Map<string, SourceFile>()
  for (const ancestor of ancestors) {
    for (const [name, member] of Object.entries(objectOf(ancestor))) {
      if (notInherited.includes(name) || Object.hasOwn(value, name)) continue
      value[name] = member
      inherited.set(name, ancestor)
    }
  }
  return { value, inherited }
}

function parentOf(source: SourceFile): string | undefined {
  const name: JsonValue | undefined = objectOf(source).extends
  return typeof name === 'string' ? name : undefined
}

function objectOf(source: SourceFile): JsonObject {
  return isJsonObject(source.text.value) ? source.text.value : {}
}
