import { after, type Dialect } from './dialect.ts'
import { match } from './tokens.ts'

// Two hyphens begin a comment where a space or a control character follows, as the mark of a value is one.
const lineComment = /(?:#|--(?![!-\uffff]))[^\n]*/y

/** The lexical structure of MySQL and MariaDB (MySQL's manual, chapter 11). */
export const mysqlDialect: Dialect = {
  parameter: () => '?',
  quoted: name => `\`${name.replaceAll('`', '``')}\``,
  equals(column, caseSensitive, parameter) {
    const asText = `CONVERT(${column} USING utf8mb4)`
    if (!caseSensitive) return `CAST(LOWER(${asText}) AS BINARY) = CAST(LOWER(${parameter()}) AS BINARY)`
    // The first half finds an index. By itself it is true of "ANN " for "ann", and of the number 5 for "5 or so".
    return `(${column} = ${parameter()} AND CAST(${asText} AS BINARY) = CAST(${parameter()} AS BINARY))`
  },
  word: /[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*/y,
  beforePattern: /^(like|rlike|regexp|against)$/i,
  endOfComment(text, at) {
    return match(lineComment, text, at) ?? (text.startsWith('/*', at) ? after('*/', text, at + 2) : undefined)
  },
  // With ANSI_QUOTES the second one is a name: no value may stand in either.
  endOfString(text, at) {
    const quote = text.charAt(at)
    return quote === "'" || quote === '"' ? after(quote, text, at + 1) : undefined
  },
  endOfIdentifier: (text, at) => (text[at] === '`' ? after('`', text, at + 1) : undefined),
  ownParameter: /^\?/,
}
