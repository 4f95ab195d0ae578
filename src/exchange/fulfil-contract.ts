import type { ExpressionContext, Variables } from '../expressions/expression.ts'
import type { JsonObject } from '../json.ts'
import { fulfil } from '../policies/fulfilment.ts'
import type { FoundForSubject, FulfilledContract, SelectedMapping, UsableTokens } from './grant.ts'
import type { Witness } from './witness.ts'

/** What the expressions of a processor mapping read: the proven tokens, what was looked up for them, and the request. The token of an IdP connection is called `assertion`. */
export function tokenVariables(tokens: UsableTokens, lookup: JsonObject, context: ExpressionContext): Variables {
  const subject = tokens.subject.proof.attributes
  return { subject, assertion: subject, actor: tokens.actor?.proof.attributes ?? null, lookup, context }
}

/** Step 9: the policy's attribute contract, computed from the tokens and validated against its JSON Schema. */
export function fulfilContract(
  mapping: SelectedMapping,
  tokens: UsableTokens,
  found: FoundForSubject,
  context: ExpressionContext,
  witness: Witness,
): FulfilledContract {
  return fulfil(mapping.fulfilment, tokenVariables(tokens, found, context), witness) as FulfilledContract
}
