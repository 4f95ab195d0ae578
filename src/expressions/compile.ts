import { Environment, EvaluationError, type ParseResult } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'
import { patternProblem } from '../config/linear-time-regexp.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import { explainCelError, nameOfType, noSuchMember, type Schemas, wanted } from './cel-problems.ts'
import { type CelType, canMeet, celTypeOf, jsonFromCel } from './cel-types.ts'
import { expressionContextSchema, type VariableName, variableNames } from './context.ts'
import type { Expression, Variables } from './expression.ts'
import { readTree, type TreeFacts } from './syntax-tree.ts'

/** The variables that may be read in one place, each with the JSON Schema of its value; undefined: anything may be there. */
export type Declarations = Readonly<Partial<Record<VariableName, JsonObject | undefined>>>

/** An expression that cannot be used. `offset` is where in its source the mistake is. */
export class ExpressionProblem extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** A compiled expression, and the members that it reads although they may be absent. */
export interface Compiled {
  readonly expression: Expression
  readonly unguarded: TreeFacts['unguarded']
}

const options = { unlistedVariablesAreDyn: false, homogeneousAggregateLiterals: false }

/**
 * Compiles and type-checks the expressions of one configuration. Each is checked against the declared types; what runs is
 * compiled without types, so that claims are read as they are and not wrapped (docs/decisions/0002-cel.md).
 */
export class ExpressionCompiler {
  readonly #checkers = new Map<string, Environment>()
  readonly #checkerOf = new WeakMap<Declarations, Environment>()
  readonly #schemaTexts = new Map<string, number>()
  readonly #schemaNumbers = new WeakMap<JsonObject, number>()
  readonly #runnables = new Map<string, ParseResult>()
  readonly #patterns = new Map<string, RE2JS>()
  readonly #base = this.#withPatterns(new Environment(options))
  readonly #runner = variableNames.reduce((runner, name) => runner.registerVariable(name, 'dyn'), this.#base.clone())

  /** Throws an `ExpressionProblem`. `expected` is the JSON Schema that the result has to meet. */
  compile(source: string, place: string, declared: Declarations, expected: JsonObject): Compiled {
    const checker = this.#checkerFor(declared)
    const parsed = this.#parse(checker, source, declared)
    const facts = readTree(parsed.ast, schemasOf(declared))
    const [misread] = facts.unknownInHas
    if (misread !== undefined) throw new ExpressionProblem(noSuchMember(misread.object, misread.name, schemasOf(declared)), misread.start)
    this.#checkTypes(checker, source, parsed, facts, declared, expected)
    const runs = splice(source, [...editsForNull(facts), ...facts.patterns.map(use => this.#patternEdit(source, use))])
    return { expression: new CelExpression(source, place, facts.variables, this.#runnable(runs)), unguarded: facts.unguarded }
  }

  #parse(checker: Environment, source: string, declared: Declarations) {
    try {
      return checker.parse(source)
    } catch (cause) {
      throw problemOf(cause, source, schemasOf(declared))
    }
  }

  #checkTypes(
    checker: Environment,
    source: string,
    parsed: ParseResult,
    facts: TreeFacts,
    declared: Declarations,
    expected: JsonObject,
  ): void {
    const edits = editsForNull(facts)
    const typed = splice(source, edits)
    const checked = edits.length === 0 ? parsed.check() : checker.check(typed)
    if (!checked.valid) {
      const problem = problemOf(checked.error, typed, schemasOf(declared))
      throw new ExpressionProblem(problem.message, offsetBefore(edits, problem.offset))
    }
    const { orNull } = facts
    if (orNull !== undefined && !canMeet('null', expected))
      throw new ExpressionProblem(`this may give null, but ${wanted(expected)} is needed`, orNull.start)
    const type = String((orNull === undefined ? checked : checker.check(source.slice(orNull.start, orNull.end))).type ?? 'dyn')
    if (!canMeet(type, expected))
      throw new ExpressionProblem(`this gives ${nameOfType(type)}, but ${wanted(expected)} is needed`, orNull?.start ?? 0)
  }

  #patternEdit(source: string, use: TreeFacts['patterns'][number]) {
    if (use.pattern === undefined)
      throw new ExpressionProblem('the pattern of matches() must be a literal, so that it can be checked before the start', use.start)
    const problem = patternProblem(use.pattern)
    if (problem !== undefined) throw new ExpressionProblem(problem, use.start)
    this.#patterns.set(use.pattern, RE2JS.compile(use.pattern))
    const name = /\.\s*matches\s*\(/g
    name.lastIndex = use.receiverEnd
    const found = name.exec(source)
    if (found === null) throw new ExpressionProblem('write matches() without a comment before it', use.start)
    return { at: source.indexOf('matches', found.index), remove: 'matches'.length, insert: 'matchesInLinearTime' }
  }

  #withPatterns(environment: Environment): Environment {
    return environment.registerFunction('string.matchesInLinearTime(string): bool', (text: string, pattern: string) => {
      const compiled = this.#patterns.get(pattern)
      if (compiled === undefined) throw new EvaluationError({ message: 'unknown pattern' })
      return compiled.matcher(text).find()
    })
  }

  // The same few expressions stand in most policies.
  #runnable(source: string): ParseResult {
    const runnable = this.#runnables.get(source) ?? this.#runner.parse(source)
    this.#runnables.set(source, runnable)
    return runnable
  }

  #checkerFor(declared: Declarations): Environment {
    const known = this.#checkerOf.get(declared)
    if (known !== undefined) return known
    const key = JSON.stringify(Object.entries(declared).map(([name, schema]) => [name, this.#numberOf(schema)]))
    const checker = this.#checkers.get(key) ?? this.#newChecker(declared)
    this.#checkers.set(key, checker)
    this.#checkerOf.set(declared, checker)
    return checker
  }

  // Large schemas are shared by many expressions; each object is written out only once.
  #numberOf(schema: JsonObject | undefined): number {
    if (schema === undefined) return -1
    const known = this.#schemaNumbers.get(schema)
    if (known !== undefined) return known
    const text = JSON.stringify(schema)
    const number = this.#schemaTexts.get(text) ?? this.#schemaTexts.size
    this.#schemaTexts.set(text, number)
    this.#schemaNumbers.set(schema, number)
    return number
  }

  #newChecker(declared: Declarations): Environment {
    const checker = this.#base.clone()
    for (const [name, schema] of Object.entries(schemasOf(declared))) declare(checker, name, celTypeOf(schema))
    return checker
  }
}

class CelExpression implements Expression {
  readonly source: string
  readonly place: string
  readonly reads: ReadonlySet<string>
  readonly #run: ParseResult
  readonly #path: readonly string[] | undefined

  constructor(source: string, place: string, reads: ReadonlySet<string>, run: ParseResult) {
    this.source = source
    this.place = place
    this.reads = reads
    this.#run = run
    this.#path = onlyMembers.test(source) ? source.split('.') : undefined
  }

  evaluate(variables: Variables): JsonValue {
    let value: JsonValue | undefined
    try {
      const member = this.#path && memberAt(this.#path, variables)
      value = jsonFromCel(member === undefined ? this.#run(variables) : member)
    } catch (cause) {
      throw this.#failed(cause instanceof EvaluationError ? reasonOf(cause) : 'it could not be evaluated', cause)
    }
    if (value === undefined) throw this.#failed('its result is no JSON value', undefined)
    return value
  }

  #failed(why: string, cause: unknown): OAuthError {
    return new OAuthError('expression-failed', `the expression at ${this.place} failed: ${why}`, { cause, setting: this.place })
  }
}

// Such as `subject.email`: most mappings are no more than that, and reading it directly costs a tenth of evaluating it.
const onlyMembers = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/

/** The member, where it is simply there. Everything else is for the library to judge. */
function memberAt(path: readonly string[], variables: Variables): unknown {
  let value: unknown = variables
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

// The library's messages may show values of the token; the code alone does not.
function reasonOf(error: EvaluationError): string {
  const reasons: Record<string, string> = {
    no_such_key: 'it reads a member that the token or attribute does not have (guard it with has())',
    no_such_overload: 'an operand has a type that the operator does not take (JSON numbers are doubles: write 1.0 or int(…))',
    division_by_zero: 'it divides by zero',
  }
  return reasons[error.code] ?? `it could not be evaluated (${error.code.replaceAll('_', ' ')})`
}

function declare(checker: Environment, name: string, type: CelType): void {
  if (typeof type === 'string') checker.registerVariable(name, type)
  else checker.registerVariable({ name, schema: type as never })
}

function schemasOf(declared: Declarations): Schemas {
  return { ...declared, context: declared.context ?? expressionContextSchema }
}

function problemOf(error: unknown, source: string, schemas: Schemas): ExpressionProblem {
  const { message, offset } = explainCelError(error, source, schemas)
  return new ExpressionProblem(message, offset)
}

interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: string
}

function splice(source: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((left, right) => right.at - left.at)
    .reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove), source)
}

// A conditional cannot be a string or null; beside a literal null the other branch is made dynamic.
function editsForNull({ besideNull }: TreeFacts): Edit[] {
  return besideNull.flatMap(({ start, end }) => [
    { at: start, remove: 0, insert: 'dyn(' },
    { at: end, remove: 0, insert: ')' },
  ])
}

/** Where a character of the spliced text stood before. Only for edits that insert. */
function offsetBefore(edits: readonly Edit[], offset: number): number {
  let inserted = 0
  for (const edit of [...edits].sort((left, right) => left.at - right.at)) {
    if (edit.at + inserted >= offset) break
    inserted += edit.insert.length
  }
  return offset - inserted
}
