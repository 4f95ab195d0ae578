import { memberName, type Path, type Place, type Problem, placeOf, type Warning } from './problems.ts'
import type { SourceFile } from './read.ts'

/** A file with what it inherits: which file each top-level member comes from that it does not have itself. */
export interface InheritingFile {
  readonly source: SourceFile
  readonly inherited: ReadonlyMap<string, SourceFile>
}

interface Finding extends Problem {
  readonly code?: string
  /** Where the member stands that the file inherits; found there too, it is no mistake of this file. */
  readonly origin?: string
}

/** Collects problems and warnings, each once, at the place where an administrator has to change something. */
export class Findings {
  readonly #problems = new Map<string, Finding>()
  readonly #warnings = new Map<string, Finding>()

  /** `offset` points into a string value. */
  report(file: InheritingFile, path: Path, message: string, offset?: number): void {
    add(this.#problems, locate(file, path, message, offset))
  }

  /** Of a file that the configuration names, and that is none of its own. */
  reportAt(file: string, position: { readonly line: number; readonly column: number }, message: string): void {
    add(this.#problems, { place: { file, ...position, member: '' }, message })
  }

  warn(file: InheritingFile, code: string, path: Path, message: string, offset?: number): void {
    add(this.#warnings, { ...locate(file, path, message, offset), code })
  }

  get problems(): readonly Problem[] {
    return withoutRepetitions(this.#problems)
  }

  get warnings(): readonly Warning[] {
    return withoutRepetitions(this.#warnings) as readonly Warning[]
  }
}

function add(findings: Map<string, Finding>, finding: Finding): void {
  findings.set(keyOf(finding.place, finding.message), finding)
}

function keyOf({ file, line, column, member }: Place, message: string): string {
  return JSON.stringify([file, line, column, member, message])
}

/** Where a member of the file stands; that of `extends` when the member is inherited. */
export function placeIn({ source, inherited }: InheritingFile, path: Path): Place {
  return placeOf(source.file, source.text, inherited.has(String(path[0])) ? ['extends'] : path)
}

function locate({ source, inherited }: InheritingFile, path: Path, message: string, offset?: number): Finding {
  const from = inherited.get(String(path[0]))
  if (from === undefined) return { place: placeOf(source.file, source.text, path, offset), message }
  return {
    place: placeOf(source.file, source.text, ['extends']),
    message: `with what is inherited from "${from.id}": ${memberName(path)}: ${message}`,
    origin: keyOf(placeOf(from.file, from.text, path, offset), message),
  }
}

function withoutRepetitions(findings: ReadonlyMap<string, Finding>): readonly Problem[] {
  return [...findings.values()].filter(({ origin }) => origin === undefined || !findings.has(origin))
}
