import type { ExpressionContext } from '../expressions/expression.ts'
import { requireAll } from '../policies/criteria.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import { tokenVariables } from './fulfil-contract.ts'
import type { ClearedAttributes, FoundForSubject, FulfilledContract, SelectedMapping, UsableTokens } from './grant.ts'
import type { Witness } from './witness.ts'

/** Step 9: the criteria of the mapping, then those of the policy, in order; the first that does not hold refuses. */
export function checkCriteria(
  policy: Pick<ProcessorPolicy, 'criteria'>,
  mapping: SelectedMapping,
  tokens: UsableTokens,
  found: FoundForSubject,
  fulfilled: FulfilledContract,
  context: ExpressionContext,
  witness: Witness,
): ClearedAttributes {
  requireAll(mapping.criteria, tokenVariables(tokens, found, context), witness)
  requireAll(policy.criteria, { policy: fulfilled, context }, witness)
  return fulfilled as ClearedAttributes
}
