import type { PresentedCredentials } from '../clients/client.ts'
import type { Form } from '../http/form.ts'
import type { Server } from '../server.ts'
import { authenticateClient } from './authenticate-client.ts'
import { bindToken, ruleOfClient } from './bind-token.ts'
import { boundLifetime } from './bound-lifetime.ts'
import { addresseeOf, checkAudience } from './check-audience.ts'
import { checkBinding } from './check-binding.ts'
import { checkCriteria } from './check-criteria.ts'
import { checkGrant } from './check-grant.ts'
import { checkProxyRestriction } from './check-proxy-restriction.ts'
import { checkValidity } from './check-validity.ts'
import { delegate } from './delegate.ts'
import { expressionContext } from './expression-context.ts'
import { fulfilContract } from './fulfil-contract.ts'
import { grantScope } from './grant-scope.ts'
import { issueToken } from './issue-token.ts'
import { lookUpForSubject, lookUpForTarget, nothingFound } from './look-up.ts'
import { mapAttributes } from './map-attributes.ts'
import type { KeyConfirmation, PossessionEvidence } from './possession.ts'
import { processTokens } from './process-tokens.ts'
import { provePossession } from './prove-possession.ts'
import { ignoredParameters, readRequest } from './read-request.ts'
import { selectMapping } from './select-mapping.ts'
import { selectPolicy } from './select-policy.ts'
import { selectTarget } from './select-target.ts'
import { traceAncestors } from './trace-ancestors.ts'
import type { Witness } from './witness.ts'

/** A request to the token endpoint, after its form was read (step 1). */
export interface TokenRequest {
  readonly credentials: PresentedCredentials
  readonly form: Form
  readonly clientIp: string
  readonly evidence: PossessionEvidence
}

/** The answer of RFC 8693 §2.2.1. */
export interface TokenAnswer {
  readonly access_token: string
  readonly issued_token_type: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope?: string
  /** The binding of a token that is no access token, which `token_type` does not tell (draft-mcguinness-oauth-token-exchange-cnf). */
  readonly cnf?: KeyConfirmation
}

/**
 * One exchange, every stage in order. Each takes what earlier ones have established, and a stage that was left out would be
 * missing in the types of a later one. `witness` hears of each result; nothing here reads it.
 */
export async function exchange(
  server: Server,
  { credentials, form, clientIp, evidence }: TokenRequest,
  witness: Witness,
): Promise<TokenAnswer> {
  const now = server.outside.now()

  // Who asks, and for what?
  const authenticated = witness.client(await authenticateClient(server, witness.credentials(credentials), clientIp))
  const client = witness.exchanging(checkGrant(authenticated, form.get('grant_type')))
  witness.ignored(ignoredParameters(form))
  const possession = witness.possession(await provePossession(server, evidence, now))
  const request = witness.request(readRequest(form))

  // Which rules apply? Nothing costly happens before these are known.
  const policy = witness.policy(selectPolicy(server, client))
  const mapping = witness.mapping(selectMapping(policy, request, witness))
  const target = witness.target(selectTarget({ server, policy, client, request }, witness))

  // What do the tokens prove, and may this client use them?
  const proven = witness.tokens(await processTokens(mapping, request, now, witness))
  const usable = checkBinding(mapping, checkValidity(checkAudience(addresseeOf(server), client, proven), now), possession)
  const tokens = checkProxyRestriction(target, usable)
  const binding = witness.bound(bindToken([ruleOfClient(client)], target, tokens, possession))
  const delegation = witness.delegation(delegate({ server, client, acts: false }, target, tokens))
  const expiresBy = boundLifetime(target, tokens, now)
  const ancestors = traceAncestors(tokens)

  // What is learned from them, and may they have what they ask for?
  const context = expressionContext(client, request, clientIp, now)
  const found = mapping.lookups.length === 0 ? nothingFound : await lookUpForSubject(mapping, tokens, context, witness)
  const fulfilled = witness.fulfilled(policy, fulfilContract(mapping, tokens, found, context, witness))
  const attributes = witness.cleared(checkCriteria(policy, mapping, tokens, found, fulfilled, context, witness))
  const scope = witness.scope(grantScope(request.scope, { server, client, policy, mapping, target, tokens, attributes, context }))
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
  const issued = await issueToken(server.outside.store, tokens, grant, witness)
  return {
    access_token: issued.token,
    issued_token_type: target.issuedTokenType,
    token_type: issued.tokenType,
    expires_in: issued.expiresAt - Math.floor(now),
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(issued.tokenType === 'N_A' && binding.confirmation !== undefined && { cnf: binding.confirmation }),
  }
}
