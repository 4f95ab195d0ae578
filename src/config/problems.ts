import type { JsonText } from './json-text.ts'

/** The way to a member: `['processors', 0, 'attributes']`. */
export type Path = readonly PropertyKey[]

/** A place in a configuration file. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The member, as `processors[0].attributes.email`; empty for the file as a whole. */
  readonly member: string
}

/** Something an administrator has to change, and where. */
export interface Problem {
  readonly place: Place
  readonly message: string
}

/** A setting that is legal and dangerous. `code` names its section in `docs/warnings.md`. */
export interface Warning extends Problem {
  readonly code: string
}

/** The configuration cannot be used. It holds every problem that was found; nothing starts. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map(describe).join('\n'))
    this.problems = problems
  }
}

/** `policies/processor-policies/partner.json:14:7 processors[0].attributes.emial: the contract has no attribute "emial"` */
export function describe({ place, message }: Problem): string {
  return `${describePlace(place)}${place.member === '' ? ' ' : ': '}${message}`
}

/** `policies/processor-policies/partner.json:14:7 processors[0].attributes.emial` */
export function describePlace({ file, line, column, member }: Place): string {
  return `${file}:${line}:${column}${member === '' ? '' : ` ${member}`}`
}

/** A warning in one line, with its code. */
export function describeWarning(warning: Warning): string {
  return `${describe(warning)} [${warning.code}]`
}

/** Where a member stands, or, where it is missing, the nearest thing around it. `offset` points into a string value. */
export function placeOf(file: string, text: JsonText, path: Path, offset?: number): Place {
  return { file, ...text.positionOf(path, offset), member: memberName(path) }
}

/** Sorted by file, and by place within each file. */
export function inOrder<Found extends { readonly place: Place }>(found: readonly Found[]): Found[] {
  return [...found].sort(({ place: left }, { place: right }) => {
    if (left.file !== right.file) return left.file < right.file ? -1 : 1
    return left.line - right.line || left.column - right.column
  })
}

/** The path as an administrator writes it. */
export function memberName(path: Path): string {
  return path.reduce<string>((name, step) => {
    if (typeof step === 'number') return `${name}[${step}]`
    const plain = /^[\w$-]+$/.test(String(step))
    return plain ? `${name}${name === '' ? '' : '.'}${String(step)}` : `${name}["${String(step)}"]`
  }, '')
}
