import { Findings } from '../config/findings.ts'
import type { Path, Problem } from '../config/problems.ts'
import type { Sources } from '../config/read.ts'
import { type AssumedToken, AssumptionMistake } from '../processors/assumed.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import type { Server } from '../server.ts'
import type { PolicyCase } from './cases.ts'
import { lookupsOf, mistakesOfAnswers, type Rules } from './given-answers.ts'
import { impossibleExpectations } from './impossible.ts'
import type { TestFile } from './load-tests.ts'
import { connectionOf } from './message.ts'
import { assumedTokens, tokensForConnection } from './stage.ts'
import type { TestSettings } from './test-file.ts'

/** Something that is wrong with a case, and where in it. */
export interface CaseMistake {
  readonly path: Path
  readonly message: string
}

/** What of the cases cannot be played, or can never come out as expected, whatever the policies decide. Nothing is played. */
export function checkCases(files: readonly TestFile[], server: Server, { files: sources }: Pick<Sources, 'files'>): readonly Problem[] {
  const findings = new Findings()
  const names = sources.map(({ file }) => file)
  for (const { parsed, cases } of files) {
    const { cases: written } = parsed.blueprint.settings as TestSettings
    for (const [index, each] of cases.entries()) {
      for (const { path, message } of mistakesIn(each, server, names))
        findings.report(parsed, placeInFile(written[index] ?? {}, index, path), message)
    }
  }
  return findings.problems
}

// What a case does not say itself stands in the defaults.
function placeInFile(written: object, index: number, [member = '', inner, ...rest]: Path): Path {
  const own = (written as Record<PropertyKey, unknown>)[member]
  const isOwn = member === 'expect' || (typeof own === 'object' && own !== null && (inner === undefined || Object.hasOwn(own, inner)))
  const path = inner === undefined ? [member] : [member, inner, ...rest]
  return isOwn ? ['cases', index, ...path] : ['defaults', ...path]
}

function mistakesIn(policyCase: PolicyCase, server: Server, files: readonly string[]): readonly CaseMistake[] {
  const rules = rulesFor(policyCase, server)
  const ofTokens = rules === undefined ? [] : mistakesOfTokens(policyCase, rules, server)
  return [...ofTokens, ...mistakesOfLookups(policyCase, rules, server), ...impossibleExpectations(policyCase, server, files)]
}

/** The policy or the connection by which a case is judged; undefined where that is a matter of what is expected. */
function rulesFor(policyCase: PolicyCase, server: Server): Rules | undefined {
  const { client, message, subject } = policyCase
  if (message !== undefined) return connectionOf(message, subject, server)
  return server.clients.get(client)?.tokenExchange.policy ?? server.defaults.policy
}

function mistakesOfLookups(
  { lookups = {} }: PolicyCase,
  rules: Rules | undefined,
  { policies, connections }: Server,
): readonly CaseMistake[] {
  const found = rules === undefined ? [] : mistakesOfAnswers(rules, lookups)
  // A lookup that other rules have is no slip of the pen: whoever plays the case is told.
  const elsewhere = [...policies.values(), ...connections.values()].flatMap(each => lookupsOf(each).map(({ name }) => name))
  const surely = found.filter(
    ({ path }) => path.length > 1 || !elsewhere.includes(String(path[0])) || namesOf(rules).includes(String(path[0])),
  )
  return surely.map(({ path, message }) => ({ path: ['lookups', ...path], message }))
}

function namesOf(rules: Rules | undefined): readonly string[] {
  return rules === undefined ? [] : lookupsOf(rules).map(({ name }) => name)
}

function mistakesOfTokens(policyCase: PolicyCase, rules: Rules, server: Server): readonly CaseMistake[] {
  const now = policyCase.now ?? server.outside.now()
  const tokens = 'issues' in rules ? assumedTokens(policyCase, server.issuer, now) : tokensForConnection(rules, policyCase, now)
  const { subject_token_type: type, actor_token_type: actorType } = policyCase.request
  const mappings = 'issues' in rules ? rules.mappings.filter(({ subjectTokenType }) => subjectTokenType === type) : [rules.mapping]
  const acting = 'issues' in rules ? mappings.filter(({ actor }) => actor?.tokenType === actorType) : [rules.actorMapping]
  const actors = policyCase.actor === undefined ? [] : acting.flatMap(mapping => mapping?.actor?.processor ?? [])
  return [
    ...mistakeOfToken(
      'subject',
      tokens.subject,
      mappings.map(({ subjectProcessor }) => subjectProcessor),
    ),
    ...mistakeOfToken('actor', tokens.actor, actors),
  ]
}

// Of several processors any one may be meant.
function mistakeOfToken(role: 'subject' | 'actor', token: AssumedToken, processors: readonly TokenProcessor[]): readonly CaseMistake[] {
  const mistakes = processors.map(processor => mistakeBy(processor, token))
  const [first] = mistakes
  if (first === undefined || mistakes.includes(undefined)) return []
  return [{ path: [role, ...first.path], message: first.message }]
}

function mistakeBy(processor: TokenProcessor, token: AssumedToken): AssumptionMistake | undefined {
  try {
    processor.assume(token)
  } catch (error) {
    // That the token is refused may be what the case is about.
    if (error instanceof AssumptionMistake) return error
  }
  return undefined
}
