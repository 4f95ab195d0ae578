import { settingOf } from '../config/folders.ts'
import { OAuthError } from '../oauth/errors.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import { resourceProblem } from '../policies/resource.ts'
import { settingOfTarget, type Target } from '../policies/target.ts'
import type { Server } from '../server.ts'
import type { ExchangingClient, SelectedTarget } from './grant.ts'
import type { ExchangeRequest } from './read-request.ts'
import type { Candidate, Witness } from './witness.ts'

/** Who asks for what, by which policy. */
interface Asking {
  readonly server: Server
  readonly policy: ProcessorPolicy
  readonly client: ExchangingClient
  readonly request: ExchangeRequest
}

/** Step 6: where the new token goes, by `resource`, `audience` and `requested_token_type` (RFC 8693 §2.1, RFC 8707 §2). */
export function selectTarget(asking: Asking, witness: Witness): SelectedTarget {
  const { policy, request } = asking
  witness.considered('target', () => candidates(asking))
  const named = namedTarget(asking)
  // The restrictions apply to the target that was matched. They never make a shorter match win.
  const obstacle = named && obstacleTo(named, asking)
  if (obstacle !== undefined) throw notAllowed(obstacle)
  const target = named ?? defaultTarget(asking)
  const issuedTokenType = request.requestedTokenType ?? target.defaultType
  const maker = target.makerOf(issuedTokenType)
  if (maker === undefined) throw notMade('the target does not make tokens of the requested_token_type', target)
  const mapping = policy.issues.get(maker)
  if (mapping === undefined) throw notAllowed(notIssued(policy))
  if (isUnlisted(asking, target)) witness.overlooked(notAllowed(notListed(target)))
  return { target, mapping, issuedTokenType, resources: request.resources } as SelectedTarget
}

// Every value selects its target on its own, and all must select the same one.
function namedTarget({ server, request: { resources, audiences } }: Asking): Target | undefined {
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
function defaultTarget(asking: Asking): Target {
  const { server, client, request } = asking
  const { requestedTokenType: tokenType } = request
  const usable = defaultsFor(server, client, tokenType).filter(target => obstacleTo(target, asking) === undefined)
  const target = tokenType === undefined ? usable[0] : usable.find(each => each.makerOf(tokenType) !== undefined)
  if (target !== undefined) return target
  const setting = settingOf('clients', client.id, 'tokenExchange', 'default')
  if (tokenType !== undefined && (usable.length > 0 || !server.targets.make(tokenType)))
    throw new OAuthError('type-not-available', 'no default target makes tokens of the requested_token_type', { setting })
  const why = 'the request names no target (resource or audience), and there is no default that this client may use'
  throw new OAuthError('target-missing', why, { setting })
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

/** Why somebody may not have tokens of a target, and where that is said. */
interface Obstacle {
  readonly why: string
  readonly setting: string
}

function obstacleTo(target: Target, asking: Asking): Obstacle | undefined {
  const { client, policy } = asking
  const member = target.kind === 'access-token-manager' ? 'accessTokenManagers' : 'generatorGroups'
  if (client.tokenExchange[member]?.has(target.id) === false)
    return { why: 'the client does not list it', setting: settingOf('clients', client.id, 'tokenExchange', member) }
  if (isUnlisted(asking, target) && target.clients?.enforced === true) return notListed(target)
  return target.makers.some(maker => policy.issues.has(maker)) ? undefined : notIssued(policy)
}

function isUnlisted({ client }: Asking, target: Target): boolean {
  return target.clients?.allow.has(client.id) === false
}

function notListed(target: Target): Obstacle {
  return { why: 'it does not list the client', setting: settingOfTarget(target, 'clients') }
}

function notIssued(policy: ProcessorPolicy): Obstacle {
  return { why: 'the policy issues nothing to it', setting: settingOf('processor-policies', policy.id, 'issues') }
}

/** Every target of the server with the reason why it was passed over. */
function candidates(asking: Asking): readonly Candidate[] {
  const { server, client, request } = asking
  const { resources, audiences, requestedTokenType } = request
  const named = new Set([
    ...resources.map(each => server.targets.ofResource(each)),
    ...audiences.map(each => server.targets.ofAudience(each)),
  ])
  const inQuestion = named.size > 0 ? named : new Set(defaultsFor(server, client, requestedTokenType))
  return server.targets.all.map(target => {
    const obstacle = inQuestion.has(target) ? obstacleTo(target, asking) : elsewhere(target, named.size > 0)
    const makes = requestedTokenType === undefined || target.makerOf(requestedTokenType) !== undefined
    const made = makes ? undefined : { why: 'makes no such tokens', setting: settingOfTarget(target) }
    const { why: because, setting } = obstacle ?? made ?? {}
    return { name: settingOfTarget(target), because, setting }
  })
}

function elsewhere(target: Target, isNamed: boolean): Obstacle {
  const served = [...target.resources, ...target.audiences].join(', ')
  if (isNamed) return { why: `serves only ${served === '' ? 'as a default' : served}`, setting: settingOfTarget(target, 'resources') }
  return { why: 'is no default for such a request', setting: 'server.json defaults' }
}

function unknown(parameter: 'resource' | 'audience'): never {
  const setting = `the "${parameter}s" of an access token manager or generator group`
  throw new OAuthError('target-unknown', `the ${parameter} is unknown here`, { setting })
}

function notMade(why: string, target: Target): OAuthError {
  const setting = target.kind === 'generator-group' ? settingOfTarget(target, 'generators') : settingOfTarget(target, 'type')
  return new OAuthError('type-not-available', why, { setting })
}

function notAllowed({ why, setting }: Obstacle): OAuthError {
  return new OAuthError('target-not-allowed', 'this client may not have tokens for this target', { setting, cause: why })
}
