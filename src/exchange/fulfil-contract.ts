import type { ExpressionContext, Variables } from '../expressions/expression.ts'
import { fulfil } from '../policies/fulfilment.ts'
import type { FulfilledContract, SelectedMapping, UnrestrictedTokens } from './grant.ts'
import type { Witness } from './witness.ts'

/** What the expressions of a processor mapping read: the proven tokens and the request. */
export function tokenVariables(tokens: UnrestrictedTokens, context: ExpressionContext): Variables {
  return { subject: tokens.subject.proof.attributes, actor: tokens.actor?.proof.attributes ?? null, context }
}

/** Step 9: the policy's attribute contract, computed from the tokens and validated against its JSON Schema. */
export function fulfilContract(
  mapping: SelectedMapping,
  tokens: UnrestrictedTokens,
  context: ExpressionContext,
  witness: Witness,
): FulfilledContract {
  return fulfil(mapping.fulfilment, tokenVariables(tokens, context), witness) as FulfilledContract
}
