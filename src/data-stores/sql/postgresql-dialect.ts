import { after, type Dialect } from './dialect.ts'
import { match } from './tokens.ts'

const lineComment = /--[^\n\r]*/y
const dollarQuote = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y

/** The lexical structure of PostgreSQL (its manual, §4.1). */
export const postgresqlDialect: Dialect = {
  parameter: index => `$${index}`,
  quoted: name => `"${name.replaceAll('"', '""')}"`,
  // Its comparisons keep to types and, unless a collation says otherwise, to every letter.
  equals: (column, caseSensitive, parameter) =>
    caseSensitive ? `${column} = ${parameter()}` : `lower(${column}::text) = lower(${parameter()}::text)`,
  word: /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y,
  beforePattern: /^(like|ilike|similar|~)$/i,
  endOfComment(text, at) {
    return match(lineComment, text, at) ?? (text.startsWith('/*', at) ? endOfNested(text, at) : undefined)
  },
  endOfString(text, at) {
    if (text[at] === "'") return after("'", text, at + 1)
    const opened = match(dollarQuote, text, at)
    return opened === undefined ? undefined : after(text.slice(at, opened), text, opened)
  },
  endOfIdentifier: (text, at) => (text[at] === '"' ? after('"', text, at + 1) : undefined),
  ownParameter: /^\$[0-9]/,
}

// Comments may stand in comments.
function endOfNested(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; ) {
    if (text.startsWith('/*', at)) depth++
    else if (text.startsWith('*/', at)) depth--
    else {
      at++
      continue
    }
    at += 2
    if (depth === 0) return at
  }
  return text.length + 1
}
