/** An expression within a template's text; `offset` is where it begins, behind its brace. */
export interface EmbeddedExpression {
  readonly expression: string
  readonly offset: number
}

/** A piece of a template's text that is written as it is, without the doubling of its braces. */
export interface LiteralText {
  readonly text: string
  readonly offset: number
}

/** A template's text that cannot be read, and where. */
export class TemplateMistake extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** Takes a text with expressions in braces apart: literal pieces and expressions in order. Throws a `TemplateMistake`. */
export function readTemplate(source: string): ReadonlyArray<LiteralText | EmbeddedExpression> {
  const pieces: Array<LiteralText | EmbeddedExpression> = []
  let literal = ''
  let begins = 0
  const endLiteral = () => {
    if (literal !== '') pieces.push({ text: literal, offset: begins })
    literal = ''
  }
  for (let at = 0; at < source.length; ) {
    const character = source[at] ?? ''
    if (literal === '') begins = at
    if (character !== '{' && character !== '}') {
      literal += character
      at++
    } else if (source[at + 1] === character) {
      literal += character
      at += 2
    } else if (character === '}') {
      throw new TemplateMistake('this "}" has no "{"; a brace that is meant as itself is written twice', at)
    } else {
      endLiteral()
      const end = endOfExpression(source, at)
      pieces.push({ expression: source.slice(at + 1, end), offset: at + 1 })
      at = end + 1
    }
  }
  endLiteral()
  return pieces
}

// CEL has strings, which may hold braces, and maps, which are written with braces.
const token = /[rR]?(?:'''[\s\S]*?'''|"""[\s\S]*?""")|[rR]'[^'\n]*'|[rR]"[^"\n]*"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[{}]/g

function endOfExpression(source: string, opening: number): number {
  let depth = 0
  token.lastIndex = opening
  for (let found = token.exec(source); found !== null; found = token.exec(source)) {
    if (found[0] === '{') depth++
    if (found[0] === '}' && --depth === 0) {
      if (source.slice(opening + 1, found.index).trim() === '')
        throw new TemplateMistake('there is no expression between these braces', opening)
      return found.index
    }
  }
  throw new TemplateMistake('this "{" has no "}"; a brace that is meant as itself is written twice', opening)
}
