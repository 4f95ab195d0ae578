import type { ASTNode } from '@marcbachmann/cel-js'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'

/** A call of `matches`, whose pattern runs on our own linear-time engine. */
export interface PatternUse {
  /** Where the receiver of the call ends in the source. */
  readonly receiverEnd: number
  /** The pattern, where it is a literal. */
  readonly pattern: string | undefined
  /** Where the pattern stands. */
  readonly start: number
}

/** What reading an expression's tree tells. */
export interface TreeFacts {
  /** The declared variables that it reads. */
  readonly variables: ReadonlySet<string>
  readonly patterns: readonly PatternUse[]
  /** The other branch of every conditional that has a literal `null` as one branch. */
  readonly besideNull: ReadonlyArray<{ readonly start: number; readonly end: number }>
  /** The same, where the whole expression is such a conditional: it gives this or null. */
  readonly orNull: { readonly start: number; readonly end: number } | undefined
  /** Members that their schema does not require, read where no `has()` protects them. */
  readonly unguarded: ReadonlyArray<{ readonly path: string; readonly start: number }>
  /** Members that `has()` asks for and that can never be there: the type check lets them pass, and a criterion would always hold. */
  readonly unknownInHas: ReadonlyArray<{ readonly object: readonly string[]; readonly name: string; readonly start: number }>
}

type Guards = ReadonlySet<string>

/** Walks the tree once. `schemas` describes the declared variables. */
export function readTree(root: ASTNode, schemas: Readonly<Record<string, JsonObject | undefined>>): TreeFacts {
  const variables = new Set<string>()
  const patterns: PatternUse[] = []
  const besideNull: Array<{ start: number; end: number }> = []
  const unguarded: Array<{ path: string; start: number }> = []
  const unknownInHas: Array<{ object: string[]; name: string; start: number }> = []
  visit(root, new Set())
  const orNull = root.op === '?:' ? branchBesideNull(root.args) : undefined
  return { variables, patterns, besideNull, orNull, unguarded, unknownInHas }

  function visit(node: ASTNode, guards: Guards): void {
    const path = memberPath(node)
    if (path !== undefined) return visitPath(node, path, guards)
    switch (node.op) {
      case 'call':
        if (node.args[0] === 'has') return visitHas(node.args[1][0])
        break
      case 'rcall':
        if (node.args[0] === 'matches') notePattern(node)
        break
      case '?:':
        return visitConditional(node.args, guards)
      case '&&':
      case '||':
        return visitLogical(node.op, node.args, guards)
    }
    for (const child of childrenOf(node)) visit(child, guards)
  }

  function visitPath(node: ASTNode, path: readonly string[], guards: Guards): void {
    const [variable = ''] = path
    if (Object.hasOwn(schemas, variable)) variables.add(variable)
    for (let length = 2; length <= path.length; length++) {
      const prefix = path.slice(0, length)
      if (guards.has(keyOf(prefix))) continue
      if (isOptional(schemas[variable], prefix.slice(1))) unguarded.push({ path: prefix.join('.'), start: node.range.start })
    }
  }

  function visitHas(argument: ASTNode | undefined): void {
    const path = (argument && memberPath(argument)) ?? []
    const [variable = '', ...members] = path
    if (!Object.hasOwn(schemas, variable)) return
    variables.add(variable)
    const unknown = firstUnknown(schemas[variable], members)
    if (argument === undefined || unknown === undefined) return
    // Every name behind it, and the dots between them, stand at the end of the argument.
    const behind = members.slice(unknown).join('.').length
    unknownInHas.push({ object: path.slice(0, unknown + 1), name: members[unknown] ?? '', start: argument.range.end - behind })
  }

  function visitConditional([condition, yes, no]: readonly [ASTNode, ASTNode, ASTNode], guards: Guards): void {
    visit(condition, guards)
    visit(yes, new Set([...guards, ...guardsOf(condition, true)]))
    visit(no, new Set([...guards, ...guardsOf(condition, false)]))
    const branch = branchBesideNull([condition, yes, no])
    if (branch !== undefined) besideNull.push(branch)
  }

  function visitLogical(op: '&&' | '||', [left, right]: readonly [ASTNode, ASTNode], guards: Guards): void {
    visit(left, guards)
    visit(right, new Set([...guards, ...guardsOf(left, op === '&&')]))
  }

  function notePattern(node: ASTNode & { op: 'rcall' }): void {
    const [, receiver, [argument]] = node.args
    const literal = argument?.op === 'value' && typeof argument.args === 'string' ? argument.args : undefined
    patterns.push({ receiverEnd: receiver.range.end, pattern: literal, start: argument?.range.start ?? node.range.start })
  }
}

/** The members that are known to be there when the condition came out as `outcome`. */
function guardsOf(condition: ASTNode, outcome: boolean): string[] {
  if (condition.op === 'call' && condition.args[0] === 'has') {
    const path = condition.args[1][0] && memberPath(condition.args[1][0])
    return outcome && path ? [keyOf(path)] : []
  }
  if (condition.op === '!_') return guardsOf(condition.args, !outcome)
  if (condition.op === (outcome ? '&&' : '||')) {
    const [left, right] = condition.args as readonly [ASTNode, ASTNode]
    return [...guardsOf(left, outcome), ...guardsOf(right, outcome)]
  }
  return []
}

/** `subject.address['city']` as its names; undefined where the node is no such chain from a variable. */
export function memberPath(node: ASTNode): string[] | undefined {
  if (node.op === 'id') return [node.args]
  if (node.op === '.') return extend(node.args[0], node.args[1])
  if (node.op === '[]') {
    const [object, index] = node.args
    return index.op === 'value' && typeof index.args === 'string' ? extend(object, index.args) : undefined
  }
  return undefined
}

function extend(object: ASTNode, name: string): string[] | undefined {
  const path = memberPath(object)
  return path && [...path, name]
}

function isOptional(schema: JsonValue | undefined, path: readonly string[]): boolean {
  let current = schema
  for (const [index, name] of path.entries()) {
    if (!isJsonObject(current) || !isJsonObject(current.properties)) return false
    const property = current.properties[name]
    if (property === undefined) return false
    if (index === path.length - 1) return !(Array.isArray(current.required) && current.required.includes(name))
    current = property
  }
  return false
}

/** The index of the first member that an object with known members does not have. */
function firstUnknown(schema: JsonValue | undefined, members: readonly string[]): number | undefined {
  let current = schema
  for (const [index, name] of members.entries()) {
    const properties: JsonValue | undefined = isJsonObject(current) ? current.properties : undefined
    if (!isJsonObject(properties) || Object.keys(properties).length === 0) return undefined
    if (!Object.hasOwn(properties, name)) return index
    current = properties[name]
  }
  return undefined
}

function childrenOf(node: ASTNode): ASTNode[] {
  const parts: unknown[] = Array.isArray(node.args) ? node.args.flat(2) : [node.args]
  return parts.filter((part): part is ASTNode => typeof part === 'object' && part !== null && 'op' in part)
}

function branchBesideNull([, yes, no]: readonly [ASTNode, ASTNode, ASTNode]) {
  if (isNull(yes) === isNull(no)) return undefined
  return (isNull(yes) ? no : yes).range
}

function isNull(node: ASTNode): boolean {
  return node.op === 'value' && node.args === null
}

function keyOf(path: readonly string[]): string {
  return path.join('\0')
}
