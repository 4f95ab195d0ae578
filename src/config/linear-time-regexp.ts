import { RE2JS } from 're2js'

/** A pattern runs on values that outsiders choose: with a backtracking engine one of each stops the server for minutes. Throws where RE2 has no such pattern. */
export function linearTimeRegExp(pattern: string, flags = '') {
  const compiled = RE2JS.compile(pattern, flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0)
  // ajv keeps one pattern for each text that this gives: without it every pattern would be the first one.
  return { test: (text: string) => compiled.matcher(text).find(), toString: () => `/${pattern}/${flags}` }
}
// What ajv would write into a module; the schemas of a configuration are never written.
linearTimeRegExp.code = 'undefined'

/** Why a pattern cannot be used; undefined when it can. */
export function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    const why = (error as Error).message.replace(/^error parsing regexp: /, '')
    return `this pattern cannot be used: ${why} (it runs on RE2, without look-around and back-references)`
  }
}
