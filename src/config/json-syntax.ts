/** What is wrong with a text that is no JSON, and where. `code` is the parser's name for its first error, which is at `offset`. */
export function syntaxMistake(text: string, code: string | undefined, offset: number): { offset: number; message: string } {
  if (text.startsWith('\ufeff')) return { offset: 0, message: 'the file starts with a byte order mark; save it as UTF-8 without one' }
  if (text.trim() === '') return { offset: 0, message: 'the file is empty' }
  if (code !== undefined && stringMistakes.has(code)) return mistakeInString(text, offset)
  if (code === 'CommaExpected' && /\d/.test(text[offset] ?? '') && text[offset - 1] === '0')
    return { offset: offset - 1, message: 'a number has no zeros before it' }
  return { offset, message: messages[code ?? ''] ?? 'this is no valid JSON' }
}

const messages: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is no JSON value; names and texts stand in double quotes',
  UnexpectedEndOfString: 'the text that starts here does not end on its line (is a quote missing?)',
  UnexpectedEndOfNumber: 'this is no number of JSON',
  PropertyNameExpected: 'a member name in double quotes is expected here (is there a comma too many?)',
  ValueExpected: 'a value is expected here (is there a comma too many?)',
  ColonExpected: 'a colon is expected here',
  CommaExpected: 'a comma, or the end of the list or object, is expected here',
  CloseBraceExpected: 'a closing brace is missing',
  CloseBracketExpected: 'a closing bracket is missing',
  EndOfFileExpected: 'the file goes on after the end of its JSON value',
  InvalidCommentToken: 'JSON has no comments; use "description"',
}

const stringMistakes = new Set(['InvalidEscapeCharacter', 'InvalidUnicode', 'InvalidCharacter'])

// The parser tells where the string starts. Patterns with a single backslash are the usual mistake, somewhere in its middle.
function mistakeInString(text: string, start: number): { offset: number; message: string } {
  const good = /(?:[^"\\\p{Cc}]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*/uy
  good.lastIndex = start + 1
  good.test(text)
  const offset = Math.max(good.lastIndex, start + 1)
  if (text[offset] !== '\\') return { offset, message: 'a tab or another control character cannot stand in a text; write "\\t"' }
  if (text[offset + 1] === 'u') return { offset, message: '"\\u" is followed by four hexadecimal digits' }
  return { offset, message: `"${text.slice(offset, offset + 2)}" is nothing in JSON; a backslash itself is written "\\\\"` }
}
