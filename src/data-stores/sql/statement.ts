import { isSlot, type QueryValue, type Template } from '../data-store.ts'
import type { Dialect } from './dialect.ts'
import { SqlMistake, type Token, tokensOf } from './tokens.ts'

/** A statement as the server gets it, and which of the lookup's values each of its parameters is. */
export interface Statement {
  readonly text: string
  /** What each parameter is bound to, given the values of the lookup. */
  readonly parameters: ReadonlyArray<(values: readonly QueryValue[]) => string>
}

/** Makes a statement of SQL with values in it. Throws a `SqlMistake` for whatever could do more than read, or read something else. */
export function statementOf(template: Template, dialect: Dialect): Statement {
  const tokens = tokensOf(template, dialect)
  const code = withoutEnd(tokens.filter(({ kind }) => kind !== 'space' && kind !== 'comment'))
  refuseOtherStatements(code)
  for (const index of code.keys()) refuseInPattern(code, index, dialect)
  for (const [index, token] of code.entries()) refuseInCode(token, code[index - 1], code[index + 1], dialect)
  for (const [index, { kind }] of tokens.entries()) if (kind === 'slot') refuseTouching(tokens, index)
  return withParameters(template, tokens, dialect)
}

// One semicolon may end it.
function withoutEnd(code: readonly Token[]): readonly Token[] {
  const first = code.findIndex(({ text }) => text === ';')
  const next = first < 0 ? undefined : code[first + 1]
  if (next !== undefined) throw new SqlMistake('a second statement begins here; a lookup is one statement', next.offset)
  return first < 0 ? code : code.slice(0, first)
}

function refuseOtherStatements(code: readonly Token[]): void {
  const first = code.find(({ text }) => text !== '(')
  if (first === undefined) throw new SqlMistake('expected a SELECT statement', 0)
  if (!/^(select|with|values|table)$/i.test(first.text))
    throw new SqlMistake(`a lookup only reads: expected SELECT, WITH, VALUES or TABLE instead of ${quote(first)}`, first.offset)
}

const writing = /^(insert|update|delete|merge|replace)$/i

// The server is told to read only as well; what it would let through, such as a file that MySQL writes, is refused here.
function refuseInCode(token: Token, before: Token | undefined, next: Token | undefined, dialect: Dialect): void {
  const problem = problemInCode(token.text, before?.text ?? '', next?.text ?? '') ?? problemOfSlot(token, before)
  if (problem !== undefined) throw new SqlMistake(problem, token.offset)
  const joined = next?.offset === token.offset + token.text.length ? token.text + next.text : token.text
  if (dialect.ownParameter.test(joined))
    throw new SqlMistake(`values are written {expression}, not ${JSON.stringify(joined)}`, token.offset)
}

function problemInCode(text: string, before: string, next: string): string | undefined {
  if (/^into$/i.test(text)) return 'a lookup only reads: there is no INTO in it'
  if (/^for$/i.test(text) && /^(update|share|no|key)$/i.test(next)) return 'a lookup locks no rows: leave out FOR and what follows'
  if (/^lock$/i.test(text) && /^in$/i.test(next)) return 'a lookup locks no rows: leave out LOCK IN SHARE MODE'
  const beginsStatement = writing.test(text) && /^[()]$/.test(before) && next !== '('
  return beginsStatement ? `a lookup only reads: there is no ${text.toUpperCase()} in it` : undefined
}

function problemOfSlot({ kind }: Token, before: Token | undefined): string | undefined {
  if (kind !== 'slot' || !/^(from|join|table|as|by|update)$/i.test(before?.text ?? '')) return undefined
  return `a value stands where ${before?.text.toUpperCase()} has a name; only values can be put in, never names`
}

// "%" would find everybody, and a pattern that is none would look like a fault of the server.
function refuseInPattern(code: readonly Token[], at: number, dialect: Dialect): void {
  const { kind, offset } = code[at] as Token
  const operator = kind === 'slot' ? patternOperator(code.slice(0, at), dialect) : undefined
  if (operator === undefined) return
  const name = operator.text.toUpperCase()
  throw new SqlMistake(`a value stands in the pattern of ${name}, where parts of it would stand for anything; compare with "="`, offset)
}

const beforeOperand = /^(and|or|xor|on|where|having|select|from|values|when|then|else|end|case|as|by|limit|offset|union)$/i

/** The operator in whose pattern something stands that comes after all of this. */
function patternOperator(code: readonly Token[], { beforePattern }: Dialect): Token | undefined {
  let closed = 0
  for (const token of code.toReversed()) {
    if (token.text === ')') closed++
    else if (closed > 0) closed -= token.text === '(' ? 1 : 0
    else if (beforePattern.test(token.text)) return token
    else if (beforeOperand.test(token.text)) return undefined
  }
  return undefined
}

const apart = new Set(['word', 'number', 'string', 'identifier', 'slot'])

// `a{x}` would become the name `a$1`.
function refuseTouching(tokens: readonly Token[], index: number): void {
  const { offset } = tokens[index] as Token
  for (const neighbour of [tokens[index - 1], tokens[index + 1]]) {
    if (neighbour === undefined) continue
    if (apart.has(neighbour.kind) || /^[.@$\\]$/.test(neighbour.text))
      throw new SqlMistake(
        `a value touches ${neighbour.kind === 'slot' ? 'another' : quote(neighbour)}; it is never part of a name or a text`,
        offset,
      )
  }
}

function withParameters({ pieces }: Template, tokens: readonly Token[], dialect: Dialect): Statement {
  const slots = pieces.filter(isSlot)
  let count = 0
  const text = tokens.map(({ kind, text }) => (kind === 'slot' ? ` ${dialect.parameter(++count)} ` : text)).join('')
  return {
    text,
    parameters: slots.map(
      ({ value }) =>
        values =>
          String(values[value]),
    ),
  }
}

function quote({ text }: Token): string {
  return JSON.stringify(text)
}
