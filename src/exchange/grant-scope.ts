import { settingOf } from '../config/folders.ts'
import type { Expression, ExpressionContext, Variables } from '../expressions/expression.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import { settingOfTarget } from '../policies/target.ts'
import type { Server } from '../server.ts'
import { tokenVariables } from './fulfil-contract.ts'
import type { ClearedAttributes, ExchangingClient, GrantedScope, SelectedMapping, SelectedTarget, UnrestrictedTokens } from './grant.ts'

interface Grounds {
  readonly server: Pick<Server, 'generatorIssuers'>
  readonly client: ExchangingClient
  readonly policy: Pick<ProcessorPolicy, 'id'>
  readonly mapping: SelectedMapping
  readonly target: SelectedTarget
  readonly tokens: UnrestrictedTokens
  readonly attributes: ClearedAttributes
  readonly context: ExpressionContext
}

/** Step 10: requested ∩ the client's ∩ what the subject carries ∩ the manager's. What cannot be had is refused, never left out silently. */
export function grantScope(requested: readonly string[] | undefined, grounds: Grounds): GrantedScope {
  const available = availableScope(grounds)
  const missing = requested?.filter(scope => !available.includes(scope)) ?? []
  if (missing.length > 0) {
    const why = `this client and subject cannot have the scope ${shown(missing)} at this target`
    throw new OAuthError('scope-not-available', why, { setting: settingThatLacks(missing, grounds) })
  }
  return (requested ?? available) as GrantedScope
}

function availableScope(grounds: Grounds): readonly string[] {
  const carried = carriedScope(grounds)
  const { scopes } = grounds.target.target
  return grounds.client.scopes.filter(scope => (carried === undefined || carried.includes(scope)) && scopes?.has(scope) !== false)
}

function settingThatLacks(missing: readonly string[], { client, target: { target }, policy }: Grounds): string {
  if (missing.some(scope => !client.scopes.includes(scope))) return settingOf('clients', client.id, 'scopes')
  if (missing.some(scope => target.scopes?.has(scope) === false))
    return settingOfTarget(target, ...(target.kind === 'access-token-manager' ? ['scopes'] : []))
  return settingOf('processor-policies', policy.id, 'scope')
}

// Undefined: the subject token sets no bound. Only a foreign token without any scope claim does that; a token of ours
// without one has the empty scope, and must not gain any by being exchanged; nor by going out through a generator and coming back.
function carriedScope({ server, mapping, tokens, attributes, context }: Grounds): readonly string[] | undefined {
  const { scope: rule } = mapping
  if (rule.from === 'client') return undefined
  if (rule.from === 'expression') return listOfScopes(rule.expression, { ...tokenVariables(tokens, {}, context), policy: attributes })
  const { processor, proof } = tokens.subject
  const fromHere = processor.origin === 'own' || server.generatorIssuers.has(proof.issuer)
  return proof.scope ?? (fromHere ? [] : undefined)
}

// The type check cannot know what a claim without a schema holds; and a text would contain parts of its own words, as a list does not.
function listOfScopes(expression: Expression, variables: Variables): readonly string[] {
  const value = expression.evaluate(variables)
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value
  throw new OAuthError('expression-failed', `the expression at ${expression.place} failed: its result is no list of scopes`, {
    setting: expression.place,
  })
}

// Enough to see a misspelling. More would let a request write its own text, or a token in the wrong place, into answer and record.
function shown(scopes: readonly string[]): string {
  const few = scopes.slice(0, 5).map(scope => (scope.length > 40 ? `${scope.slice(0, 40)}...` : scope))
  return [...few, ...(scopes.length > few.length ? ['and others'] : [])].join(' ')
}
