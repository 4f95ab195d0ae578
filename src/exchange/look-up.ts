import type { Answer } from '../data-stores/answers.ts'
import type { QueryValue } from '../data-stores/data-store.ts'
import { UnfitAnswer } from '../data-stores/unfit-answer.ts'
import type { Expression, ExpressionContext, Variables } from '../expressions/expression.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { OAuthError, Outage } from '../oauth/errors.ts'
import { type Lookup, longestList } from '../policies/lookup.ts'
import { tokenVariables } from './fulfil-contract.ts'
import type {
  CheckedDelegation,
  ClearedAttributes,
  FoundForSubject,
  FoundForTarget,
  GrantedScope,
  SelectedMapping,
  SelectedTarget,
  UsableTokens,
} from './grant.ts'
import { targetVariables } from './map-attributes.ts'
import type { LookupOutcome, Witness } from './witness.ts'

type Teller = Pick<Witness, 'lookedUp'>

/** What mappings without lookups find. */
export const nothingFound = Object.freeze({}) as FoundForSubject & FoundForTarget

/** Step 9: what the lookups of a processor mapping find, from what the tokens prove. */
export async function lookUpForSubject(
  { lookups }: SelectedMapping,
  tokens: UsableTokens,
  context: ExpressionContext,
  witness: Witness,
): Promise<FoundForSubject> {
  return (await lookUp(lookups, found => tokenVariables(tokens, found, context), witness)) as FoundForSubject
}

/** Step 11: what the lookups of the target's mapping find, from the policy's cleared attributes only. */
export async function lookUpForTarget(
  { mapping }: SelectedTarget,
  policy: ClearedAttributes,
  delegation: CheckedDelegation,
  scope: GrantedScope,
  context: ExpressionContext,
  witness: Witness,
): Promise<FoundForTarget> {
  const variables = (found: JsonObject) => targetVariables(policy, delegation, scope, found, context)
  return (await lookUp(mapping.lookups, variables, witness)) as FoundForTarget
}

/** Makes lookups one after the other: the values of a query may come from what earlier ones have found. */
export async function lookUp(
  lookups: readonly Lookup[],
  variablesWith: (found: JsonObject) => Variables,
  witness: Teller,
): Promise<JsonObject> {
  const found: Record<string, JsonValue> = {}
  const variables = variablesWith(found)
  for (const lookup of lookups) found[lookup.name] = await answerTo(lookup, variables, witness)
  return found
}

async function answerTo(lookup: Lookup, variables: Variables, witness: Teller): Promise<JsonValue> {
  const values = lookup.values.map(expression => valueIn(expression, variables))
  const started = performance.now()
  const tell = (outcome: LookupOutcome, { rows, cached, joined = false }: Answer) => {
    witness.lookedUp(lookup, { outcome, rows, cached, joined, values, milliseconds: performance.now() - started })
  }
  try {
    // A query with nothing in the place of a value would find whatever has nothing there, or everything.
    if (!areAllThere(values)) return judge(lookup, noAnswer, tell)
    return judge(lookup, await lookup.ask(values), tell)
  } catch (error) {
    if (!(error instanceof Outage)) throw error
    const isUnfit = error instanceof UnfitAnswer
    tell(isUnfit ? 'unfit' : 'down', noAnswer)
    // What nobody can go on with is refused whatever the setting says.
    const setting = isUnfit ? lookup.setting : `${lookup.setting}.ifDown`
    if (isUnfit || lookup.ifDown === 'refuse') throw new Outage(error.message, error.cause, error.retryAfter, setting)
    return nothingOf(lookup)
  }
}

const noAnswer: Answer = { rows: [], cached: false }

type Tell = (outcome: LookupOutcome, answer: Answer) => void

function judge(lookup: Lookup, answer: Answer, tell: Tell): JsonValue {
  const { name, setting, many } = lookup
  const { rows } = answer
  const [first, second] = rows
  if (first === undefined) {
    tell('missing', answer)
    if (lookup.ifMissing === 'empty') return nothingOf(lookup)
    throw new OAuthError('lookup-found-nothing', `the lookup ${name} found nothing`, { setting: `${setting}.ifMissing` })
  }
  if ((second !== undefined && many === 'refuse') || rows.length > longestList) {
    tell('several', answer)
    const much = many === 'refuse' ? 'more than one entry' : `more than ${longestList} entries`
    throw new OAuthError('lookup-found-several', `the lookup ${name} found ${much}`, { setting: `${setting}.many` })
  }
  tell('found', answer)
  return (many === 'list' ? rows : first) as JsonValue
}

function nothingOf({ many }: Lookup): JsonValue {
  return many === 'list' ? [] : {}
}

function areAllThere(values: ReadonlyArray<QueryValue | undefined>): values is readonly QueryValue[] {
  return !values.includes(undefined)
}

function valueIn(expression: Expression, variables: Variables): QueryValue | undefined {
  const value = expression.evaluate(variables)
  if (value === null) return undefined
  if (typeof value !== 'object') return value
  const message = `the expression at ${expression.place} failed: its result is a list or an object, and a query takes one value`
  throw new OAuthError('expression-failed', message, { setting: expression.place })
}
