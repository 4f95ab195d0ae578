import { Environment, type ParseError } from '@marcbachmann/cel-js'
import { didYouMean } from '../config/suggest.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { memberPath } from './syntax-tree.ts'

/** The variables that may be read, each with the JSON Schema of its value; undefined: anything may be there. */
export type Schemas = Readonly<Record<string, JsonObject | undefined>>

/** What the library found wrong with an expression, in the words of an administrator, and where. */
export function explainCelError(error: unknown, source: string, schemas: Schemas): { message: string; offset: number } {
  const found = error as Partial<ParseError>
  const summary = String(found.summary ?? (error as Error)?.message ?? error)
  const range = { start: found.range?.start ?? 0, end: found.range?.end ?? 0 }
  const text = source.slice(range.start, range.end)
  return { message: explain({ code: found.code ?? '', summary, text, node: found.node as never }, schemas), offset: range.start }
}

interface Found {
  readonly code: string
  readonly summary: string
  /** What stands there. */
  readonly text: string
  readonly node: Parameters<typeof memberPath>[0] | undefined
}

function explain({ code, summary, text, node }: Found, schemas: Schemas): string {
  const types = [...summary.matchAll(/'([^']+)'/g)].map(([, type = '']) => type)
  const readable = `here you may read ${Object.keys(schemas).join(', ')}`
  switch (code) {
    case 'unknown_variable': {
      const name = summary.replace('Unknown variable: ', '')
      return `there is no variable "${name}"; ${readable}${didYouMean(name, Object.keys(schemas))}`
    }
    case 'no_such_key':
      return noSuchMember(objectOf(node), summary.replace('No such key: ', ''), schemas)
    case 'unexpected_token':
    case 'expected_token':
      return misplaced(summary, text)
    case 'unexpected_character':
      return `"${text}" is not expected here${operatorHint(text)}`
    case 'unterminated_string':
      return 'the string that starts here has no end'
    case 'invalid_escape_sequence':
      return `"${text.slice(0, 2)}" is no escape; in a pattern, write the string as r'…'`
    case 'no_matching_overload':
      return noSuchFunction(types[0] ?? '')
    case 'no_such_overload':
      return noSuchOperation(summary.replace('no such overload: ', ''))
    case 'invalid_logical_operand':
    case 'invalid_condition_type':
      return `a condition is true or false, and this is ${nameOfType(types[0] ?? '')}`
    case 'incompatible_ternary_branches':
      return `the branches must have the same type, and are ${types.map(nameOfType).join(' and ')} (wrap one in dyn(…) if both are meant)`
    case 'cannot_index_type':
      return `${nameOfType(types[0] ?? '')} has no members`
    case 'invalid_comprehension_range':
      return `only lists and objects can be gone through, and this is ${nameOfType(types[0] ?? '')}`
    case 'limit_exceeded':
      return 'the expression is too long or nested too deeply'
    default:
      return summary
  }
}

/** That an object has no such member, with the one that may be meant. */
export function noSuchMember(object: readonly string[] | undefined, name: string, schemas: Schemas): string {
  const known = object === undefined ? [] : membersOf(object, schemas)
  return `${object === undefined ? 'this object' : object.join('.')} has no "${name}"${didYouMean(name, known)}`
}

function membersOf([variable = '', ...names]: readonly string[], schemas: Schemas): string[] {
  let current: JsonValue | undefined = schemas[variable]
  for (const name of names) current = isJsonObject(current) && isJsonObject(current.properties) ? current.properties[name] : undefined
  return isJsonObject(current) && isJsonObject(current.properties) ? Object.keys(current.properties) : []
}

function objectOf(node: Found['node']): string[] | undefined {
  return node?.op === '.' || node?.op === '[]' ? memberPath(node.args[0]) : undefined
}

const tokens: Readonly<Record<string, string>> = { RPAREN: ')', RBRACKET: ']', RBRACE: '}', COLON: ':', IDENTIFIER: 'a name', COMMA: ',' }

function misplaced(summary: string, text: string): string {
  const expected = /^Expected (\w+)/.exec(summary)?.[1]
  const token = tokens[expected ?? ''] ?? expected
  const wanted = token === undefined ? 'a value' : token.includes(' ') ? token : `"${token}"`
  return text === '' ? `the expression ends where ${wanted} is expected` : `${wanted} is expected here, not "${text}"`
}

function operatorHint(character: string): string {
  const operators: Record<string, string> = { '=': '==', '|': '||', '&': '&&' }
  return operators[character] === undefined ? '' : `; did you mean "${operators[character]}"?`
}

// As `string.lowerCase(int)`. Of the known names those with other arguments are told apart from those that nobody has.
function noSuchFunction(call: string): string {
  const [, receiver, name = '', list = ''] = /^(?:(.*)\.)?(\w+)\((.*)\)$/.exec(call) ?? []
  const functions = new Environment().getDefinitions().functions.map(definition => definition.name)
  const passed = list === '' ? 'no arguments' : list.split(', ').map(nameOfType).join(' and ')
  if (functions.includes(name)) return `${receiver === undefined ? '' : `${nameOfType(receiver)}: `}${name}() does not take ${passed}`
  return `there is no function "${name}"${didYouMean(name, functions)}`
}

function noSuchOperation(operation: string): string {
  const [, left = '', operator = '', right = ''] = /^(\S+) (\S+) (.+)$/.exec(operation) ?? []
  if (operator === '') return `"${operation.slice(0, 1)}" cannot be put before ${nameOfType(operation.slice(1))}`
  const isMixed = [left, right].includes('double') && [left, right].includes('int')
  const hint = isMixed ? ' (JSON numbers are doubles: write 1.0 instead of 1, or int(…) around the claim)' : ''
  return `"${operator}" does not go between ${nameOfType(left)} and ${nameOfType(right)}${hint}`
}

/** A type of CEL as an administrator would name it. */
export function nameOfType(type: string): string {
  if (type.startsWith('list<')) return `a list of ${plural(type.slice('list<'.length, -1))}`
  if (type.startsWith('list')) return 'a list'
  if (type.startsWith('map') || type.startsWith('$')) return 'an object'
  const names: Readonly<Record<string, string>> = {
    string: 'a string',
    bool: 'a boolean',
    int: 'a whole number (int)',
    uint: 'a whole number (uint)',
    double: 'a number (double)',
    bytes: 'bytes',
    null: 'null',
    dyn: 'anything',
    type: 'a type',
    'google.protobuf.Timestamp': 'a timestamp',
    'google.protobuf.Duration': 'a duration',
  }
  return names[type] ?? type
}

function plural(type: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'strings',
    bool: 'booleans',
    int: 'whole numbers',
    double: 'numbers',
    dyn: 'anything',
  }
  return names[type] ?? (type.startsWith('list') ? 'lists' : 'objects')
}

/** What a JSON Schema asks for, in words. */
export function wanted(schema: JsonObject): string {
  if (schema.type === undefined) return 'a value of JSON'
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]) as readonly string[]
  return types
    .map(type => (type === 'array' ? listOf(schema.items) : type === 'null' ? 'null' : `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`))
    .join(' or ')
}

function listOf(items: JsonValue | undefined): string {
  if (!isJsonObject(items) || typeof items.type !== 'string') return 'a list'
  return `a list of ${{ array: 'list' }[items.type] ?? items.type}s`
}
