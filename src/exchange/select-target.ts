import { OAuthError } from '../oauth/errors.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import { resourceProblem } from '../policies/resource.ts'
import type { Target } from '../policies/target.ts'
import type { Server } from '../server.ts'
import type { ExchangingClient, SelectedTarget } from './grant.ts'
import type { ExchangeRequest } from './read-request.ts'

/** Step 6: where the new token goes, by `resource`, `audience` and `requested_token_type` (RFC 8693 §2.1, RFC 8707 §2). */
export function selectTarget(server: Server, policy: ProcessorPolicy, client: ExchangingClient, request: ExchangeRequest): SelectedTarget {
  const named = namedTarget(server, request)
  // The restrictions apply to the target that was matched. They never make a shorter match win.
  if (named !== undefined && !mayUse(client, policy, named)) throw notAllowed()
  const target = named ?? defaultTarget(server, policy, client, request.requestedTokenType)
  const issuedTokenType = request.requestedTokenType ?? target.defaultType
  const maker = target.makerOf(issuedTokenType)
  if (maker === undefined) throw new OAuthError('type-not-available', 'the target does not make tokens of the requested_token_type')
  const mapping = policy.issues.get(maker)
  if (mapping === undefined) throw notAllowed()
  return { target, mapping, issuedTokenType, resources: request.resources } as SelectedTarget
}

// Every value selects its target on its own, and all must select the same one.
function namedTarget(server: Server, { resources, audiences }: ExchangeRequest): Target | undefined {
  const targets = new Set<Target>()
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

/** The default of the kind that such a token comes from, each the client's, else the server's; an access token manager comes first. */
function defaultTarget(server: Server, policy: ProcessorPolicy, client: ExchangingClient, tokenType: string | undefined): Target {
  const usable = defaultsFor(server, client, tokenType).filter(target => mayUse(client, policy, target))
  const target = tokenType === undefined ? usable[0] : usable.find(each => each.makerOf(tokenType) !== undefined)
  if (target !== undefined) return target
  if (tokenType !== undefined && (usable.length > 0 || !server.targets.make(tokenType))) {
    throw new OAuthError('type-not-available', 'no default target makes tokens of the requested_token_type')
  }
  throw new OAuthError(
    'target-missing',
    'the request names no target (resource or audience), and there is no default that this client may use',
  )
}

// Access tokens come from managers only, JWTs from either, whatever else from generators.
function defaultsFor(server: Server, client: ExchangingClient, tokenType: string | undefined): Target[] {
  const chosen = client.tokenExchange.default
  const manager = server.targets.named('access-token-manager', chosen.accessTokenManager ?? server.defaults.accessTokenManager)
  const group = server.targets.named('generator-group', chosen.generatorGroup ?? server.defaults.generatorGroup)
  const fitting = tokenType === tokenTypes.accessToken ? [manager] : isMadeByBoth(tokenType) ? [manager, group] : [group]
  return fitting.filter(target => target !== undefined)
}

function isMadeByBoth(tokenType: string | undefined): boolean {
  return tokenType === undefined || tokenType === tokenTypes.jwt
}

function mayUse(client: ExchangingClient, policy: ProcessorPolicy, target: Target): boolean {
  const { accessTokenManagers, generatorGroups } = client.tokenExchange
  const allowed = target.kind === 'access-token-manager' ? accessTokenManagers : generatorGroups
  if (allowed?.has(target.id) === false || target.clients?.has(client.id) === false) return false
  return target.makers.some(maker => policy.issues.has(maker))
}

function unknown(parameter: 'resource' | 'audience'): never {
  throw new OAuthError('target-unknown', `the ${parameter} is unknown here`)
}

function notAllowed(): OAuthError {
  return new OAuthError('target-not-allowed', 'this client may not have tokens for this target')
}
