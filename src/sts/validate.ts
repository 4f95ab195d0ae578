import { checkAudience } from '../exchange/check-audience.ts'
import { checkBinding } from '../exchange/check-binding.ts'
import { checkCriteria } from '../exchange/check-criteria.ts'
import { checkValidity } from '../exchange/check-validity.ts'
import { fulfilContract } from '../exchange/fulfil-contract.ts'
import { lookUpForSubject, nothingFound } from '../exchange/look-up.ts'
import { processTokens } from '../exchange/process-tokens.ts'
import { useOnce } from '../exchange/use-once.ts'
import type { Witness } from '../exchange/witness.ts'
import { type Asking, addresseeOf, contextOf, knownOf, noFurtherCriteria } from './asking.ts'

/**
 * `Validate` (WS-Trust 1.3 §7) where only the status is wanted. Throws what is wrong with the token. Whoever asks acts on the answer, so
 * that a token for one use is used by it.
 */
export async function validate(asking: Asking, witness: Witness): Promise<void> {
  const { server, client, request, selected, mapping, possession, now } = asking
  witness.notNeeded()
  const proven = witness.tokens(await processTokens(mapping, request, now, witness, knownOf(asking)))
  const tokens = checkBinding(mapping, checkValidity(checkAudience(addresseeOf(asking), client, proven), now), possession)
  witness.notNeeded()
  const context = contextOf(asking)
  const found = mapping.lookups.length === 0 ? nothingFound : await lookUpForSubject(mapping, tokens, context, witness)
  const fulfilled = witness.fulfilled(selected.connection, fulfilContract(mapping, tokens, found, context, witness))
  witness.cleared(checkCriteria(noFurtherCriteria, mapping, tokens, found, fulfilled, context, witness))
  // Neither scope nor attributes of a new token.
  witness.notNeeded()
  witness.notNeeded()
  await useOnce(server.outside.store, tokens, now)
  witness.used()
}
