import type { PresentedCredentials } from '../clients/client.ts'
import type { Form } from '../http/form.ts'
import type { AuditEntry } from '../observe/audit-entry.ts'
import type { Server } from '../server.ts'
import { authenticateClient } from './authenticate-client.ts'
import { boundLifetime } from './bound-lifetime.ts'
import { checkAudience } from './check-audience.ts'
import { checkBinding } from './check-binding.ts'
import { checkCriteria } from './check-criteria.ts'
import { checkGrant } from './check-grant.ts'
import { checkProxyRestriction } from './check-proxy-restriction.ts'
import { checkValidity } from './check-validity.ts'
import { delegate } from './delegate.ts'
import { expressionContext } from './expression-context.ts'
import { fulfilContract } from './fulfil-contract.ts'
import { generateToken } from './generate-token.ts'
import { grantScope } from './grant-scope.ts'
import { mapAttributes } from './map-attributes.ts'
import { processTokens } from './process-tokens.ts'
import { ignoredParameters, readRequest } from './read-request.ts'
import { selectMapping } from './select-mapping.ts'
import { selectPolicy } from './select-policy.ts'
import { selectTarget } from './select-target.ts'
import { traceAncestors } from './trace-ancestors.ts'
import { useOnce } from './use-once.ts'

/** A request to the token endpoint, after its form was read (step 1). */
export interface TokenRequest {
  readonly credentials: PresentedCredentials
  readonly form: Form
  readonly clientIp: string
  readonly dpopProof: string | undefined
}

/** The answer of RFC 8693 §2.2.1. */
export interface TokenAnswer {
  readonly access_token: string
  readonly issued_token_type: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope?: string
}

/**
 * One exchange, every stage in order. Each takes what earlier ones have established, and a stage that was left out would be
 * missing in the types of a later one. `entry` hears of each result, for the audit record; nothing here reads it.
 */
export async function exchange(
  server: Server,
  { credentials, form, clientIp, dpopProof }: TokenRequest,
  entry: AuditEntry,
): Promise<TokenAnswer> {
  const now = server.outside.now()

  // Who asks, and for what?
  const authenticated = entry.client(await authenticateClient(server, entry.credentials(credentials), clientIp))
  const client = checkGrant(authenticated, form.get('grant_type'))
  entry.ignored(ignoredParameters(form))
  const request = entry.request(readRequest(form, dpopProof))

  // Which rules apply? Nothing costly happens before these are known.
  const policy = entry.policy(selectPolicy(server, client))
  const mapping = entry.mapping(selectMapping(policy, request))
  const target = entry.target(selectTarget(server, policy, client, request))

  // What do the tokens prove, and may this client use them?
  const proven = entry.tokens(await processTokens(mapping, request, now))
  const usable = checkBinding(checkValidity(checkAudience(server, client, proven), now))
  const tokens = checkProxyRestriction(target, usable)
  const delegation = entry.delegation(delegate(server, client, target, tokens))
  const expiresBy = boundLifetime(target, tokens, now)
  const ancestors = traceAncestors(tokens)

  // What is learned from them, and may they have what they ask for?
  const context = expressionContext(client, request, clientIp, now)
  const fulfilled = entry.attributes(policy, fulfilContract(mapping, tokens, context))
  const attributes = checkCriteria(policy, mapping, tokens, fulfilled, context)
  const scope = entry.scope(grantScope(request.scope, { server, client, mapping, target, tokens, attributes, context }))
  const mapped = mapAttributes(target, attributes, delegation, scope, context)

  // Only now is anything used up, made or sent.
  await useOnce(server.outside.store, tokens, now)
  const { authentication, proxyRestriction } = tokens.subject.proof
  const grant = { client, target, attributes: mapped, delegation, scope, expiresBy, ancestors, authentication, proxyRestriction, now }
  const issued = entry.issued(await generateToken(grant))
  return {
    access_token: issued.token,
    issued_token_type: target.issuedTokenType,
    token_type: issued.tokenType,
    expires_in: issued.expiresAt - Math.floor(now),
    ...(scope.length > 0 && { scope: scope.join(' ') }),
  }
}
