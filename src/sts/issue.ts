import { bindToken, type RuledBy, ruleOfClient } from '../exchange/bind-token.ts'
import { boundLifetime } from '../exchange/bound-lifetime.ts'
import { checkAudience } from '../exchange/check-audience.ts'
import { checkBinding } from '../exchange/check-binding.ts'
import { checkCriteria } from '../exchange/check-criteria.ts'
import { checkProxyRestriction } from '../exchange/check-proxy-restriction.ts'
import { checkValidity } from '../exchange/check-validity.ts'
import { delegate } from '../exchange/delegate.ts'
import { fulfilContract } from '../exchange/fulfil-contract.ts'
import type { ExchangingClient, IssuedToken, SelectedTarget } from '../exchange/grant.ts'
import { grantScope } from '../exchange/grant-scope.ts'
import { issueToken } from '../exchange/issue-token.ts'
import { lookUpForSubject, lookUpForTarget, nothingFound } from '../exchange/look-up.ts'
import { mapAttributes } from '../exchange/map-attributes.ts'
import { processTokens } from '../exchange/process-tokens.ts'
import { traceAncestors } from '../exchange/trace-ancestors.ts'
import type { Witness } from '../exchange/witness.ts'
import { OAuthError } from '../oauth/errors.ts'
import { type Asking, addresseeOf, contextOf, knownOf, noFurtherCriteria } from './asking.ts'
import { selectGenerator } from './select-generator.ts'

/** A token that was made, and by which mapping. */
export interface Issued {
  readonly token: IssuedToken
  readonly target: SelectedTarget
}

/** `Issue` (WS-Trust 1.3 §4), and `Validate` where a token is wanted: the stages of the exchange, all of them, from the target on. */
export async function issue(asking: Asking, witness: Witness): Promise<Issued> {
  const { server, client, request, selected, mapping, possession, now } = asking
  const { connection } = selected
  const rule = ruleFor(client)
  const target = witness.target(selectGenerator(selected, request, witness))

  // What do the tokens prove, and were they meant for the virtual server that was addressed?
  const proven = witness.tokens(await processTokens(mapping, request, now, witness, knownOf(asking)))
  const usable = checkBinding(mapping, checkValidity(checkAudience(addresseeOf(asking), client, proven), now), possession)
  const tokens = checkProxyRestriction(target, usable)
  const binding = witness.bound(bindToken([rule], target, tokens, possession))
  const acts = request.isDelegation && request.actor === undefined
  const delegation = witness.delegation(delegate({ server, client, acts }, target, tokens))
  const expiresBy = boundLifetime(target, tokens, now, request.endsBy)
  const ancestors = traceAncestors(tokens)

  // What is learned from them, and may they have what they ask for?
  const context = contextOf(asking)
  const found = mapping.lookups.length === 0 ? nothingFound : await lookUpForSubject(mapping, tokens, context, witness)
  const fulfilled = witness.fulfilled(connection, fulfilContract(mapping, tokens, found, context, witness))
  const attributes = witness.cleared(checkCriteria(noFurtherCriteria, mapping, tokens, found, fulfilled, context, witness))
  const grounds = { server, client, policy: connection, mapping, target, tokens, attributes, context }
  const scope = witness.scope(grantScope(request.scope, grounds))
  const needsMore = target.mapping.lookups.length > 0
  const more = needsMore ? await lookUpForTarget(target, attributes, delegation, scope, context, witness) : nothingFound
  const mapped = witness.mapped(mapAttributes(target, attributes, delegation, scope, more, context, witness))

  // Only now is anything used up, made or sent.
  const { authentication, proxyRestriction } = tokens.subject.proof
  const grant = {
    client,
    target,
    attributes: mapped,
    delegation,
    binding,
    scope,
    expiresBy,
    ancestors,
    authentication,
    proxyRestriction,
    now,
  }
  return { token: await issueToken(server.outside.store, tokens, grant, witness), target }
}

/** The rule of the client holds here as at the token endpoint. What only a DPoP proof could meet, nothing can here. */
function ruleFor(client: ExchangingClient): RuledBy {
  const ruled = ruleOfClient(client)
  if (ruled.rule === 'dpop') {
    const why = 'this client may have no token that is not bound to the key of a DPoP proof, and WS-Trust has no such proofs'
    throw new OAuthError('binding-not-available', why, { setting: ruled.setting })
  }
  return ruled
}
