import type { AccessTokenManager } from '../access-tokens/access-token-manager.ts'
import { OAuthError } from '../oauth/errors.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { ProcessorPolicy, TargetMapping } from '../policies/processor-policy.ts'
import { resourceProblem } from '../policies/target-index.ts'
import type { Server } from '../server.ts'
import type { ExchangingClient, SelectedTarget } from './grant.ts'
import type { ExchangeRequest } from './read-request.ts'

/** Step 6: where the new token goes, by `resource`, `audience` and `requested_token_type` (RFC 8693 §2.1, RFC 8707 §2). */
export function selectTarget(server: Server, policy: ProcessorPolicy, client: ExchangingClient, request: ExchangeRequest): SelectedTarget {
  const named = namedTarget(server, request)
  const mapping = named === undefined ? defaultTarget(server, policy, client, request) : allowedTarget(named, policy, client)
  const issuedTokenType = request.requestedTokenType ?? tokenTypes.accessToken
  if (!canMake(mapping.manager, issuedTokenType))
    throw new OAuthError('type-not-available', 'the target does not make tokens of the requested_token_type')
  return { mapping, manager: mapping.manager, issuedTokenType, resources: request.resources } as SelectedTarget
}

// Every value selects its target on its own, and all must select the same one.
function namedTarget(server: Server, { resources, audiences }: ExchangeRequest): string | undefined {
  const targets = new Set<string>()
  for (const resource of resources) {
    const problem = resourceProblem(resource)
    if (problem !== undefined) throw new OAuthError('target-unknown', `resource ${problem}`)
    targets.add(server.targets.ofResource(resource) ?? unknown('resource'))
  }
  for (const audience of audiences) targets.add(server.targets.ofAudience(audience) ?? unknown('audience'))
  if (targets.size > 1) throw new OAuthError('target-unknown', 'resource and audience name several targets; ask for one token each')
  const [target] = targets
  return target
}

function unknown(parameter: 'resource' | 'audience'): never {
  throw new OAuthError('target-unknown', `the ${parameter} is unknown here`)
}

// The restrictions apply to the target that was matched. They never make a shorter match win.
function allowedTarget(target: string, policy: ProcessorPolicy, client: ExchangingClient): TargetMapping {
  const mapping = usableTarget(target, policy, client)
  if (mapping === undefined) throw new OAuthError('target-not-allowed', 'this client may not have tokens for this target')
  return mapping
}

function defaultTarget(
  server: Server,
  policy: ProcessorPolicy,
  client: ExchangingClient,
  { requestedTokenType }: ExchangeRequest,
): TargetMapping {
  if (requestedTokenType !== undefined && requestedTokenType !== tokenTypes.accessToken && requestedTokenType !== tokenTypes.jwt) {
    throw new OAuthError('type-not-available', 'nothing here makes tokens of the requested_token_type')
  }
  const target = client.tokenExchange.defaultAccessTokenManager ?? server.defaults.accessTokenManager
  const mapping = target === undefined ? undefined : usableTarget(target, policy, client)
  if (mapping === undefined)
    throw new OAuthError(
      'target-missing',
      'the request names no target (resource or audience), and there is no default that this client may use',
    )
  return mapping
}

function usableTarget(target: string, policy: ProcessorPolicy, client: ExchangingClient): TargetMapping | undefined {
  const mapping = policy.issues.get(target)
  if (mapping === undefined) return undefined
  if (client.tokenExchange.accessTokenManagers?.has(target) === false) return undefined
  if (mapping.manager.clients?.has(client.id) === false) return undefined
  return mapping
}

// A JWT access token is a JWT too; callers such as Spring ask for it by that name.
function canMake(manager: AccessTokenManager, tokenType: string): boolean {
  return tokenType === tokenTypes.accessToken || (tokenType === tokenTypes.jwt && manager.type === 'jwt')
}
