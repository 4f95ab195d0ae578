import { z } from 'zod'
import { distinct, enforcement, lifetime, reference, scopeName, strict } from '../config/values.ts'
import type { Grant } from '../exchange/grant.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { type Parts, SettingProblem } from '../plugin.ts'
import { bindingSettings } from '../policies/binding.ts'
import { buildContract, contractSettings } from '../policies/contract.ts'
import { warnOfLifetime } from '../policies/lifetime-warnings.ts'
import { isWholeHost, resource } from '../policies/resource.ts'
import type { AllowedClients } from '../policies/target.ts'
import type { AccessToken, AccessTokenManager } from './access-token-manager.ts'

// Nobody could have its tokens.
const clientList = distinct(reference('clients')).min(1)

/** Settings that every access token manager has. */
export const managerSettings = {
  lifetime: lifetime.meta({ description: 'How long a token lives at most' }),
  outlivesSubject: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether a token may live longer than the subject token that it was exchanged from' }),
  audience: z
    .union([z.literal('requested'), distinct(z.string().min(1)).min(1)])
    .meta({ description: 'The aud claim: a list, or "requested" for the resources that were asked for' }),
  resources: distinct(resource).default([]).meta({ description: 'The resources (RFC 8707) that it serves' }),
  audiences: distinct(z.string().min(1)).default([]).meta({ description: 'The logical names that it serves' }),
  clients: z
    .union([clientList, strict({ allow: clientList, mode: enforcement })])
    .optional()
    .meta({ description: 'The clients that may have its tokens; absent: all' }),
  scopes: distinct(scopeName).optional().meta({ description: 'The scopes that its tokens may carry; absent: all' }),
  binding: bindingSettings,
  contract: contractSettings,
}
type ManagerSettings = z.output<z.ZodObject<typeof managerSettings>>

/** What the pipeline decides can come from the pipeline only, never from a mapped attribute (RFC 9068 §2.2, RFC 8693 §4). */
const decidedByThePipeline = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'act', 'cnf', ancestorsClaim()]

type Basics = Pick<
  AccessTokenManager,
  | 'id'
  | 'binding'
  | 'binds'
  | 'contract'
  | 'lifetime'
  | 'outlivesSubject'
  | 'clients'
  | 'scopes'
  | 'resources'
  | 'audiences'
  | 'audienceFor'
>

/** Builds what managers have in common, and warns of what is dangerous in it. */
export function managerBasics(settings: ManagerSettings, parts: Parts): Basics {
  const { contract, audience, resources } = settings
  for (const name of decidedByThePipeline) {
    if (Object.hasOwn(contract, name))
      parts.problem(['contract', name], `the claim "${name}" is decided by the exchange and cannot be mapped`)
  }
  if (contract.sub?.type !== 'string')
    throw new SettingProblem(['contract'], 'the contract needs the attribute "sub" with "type": "string"')
  if (audience === 'requested' && resources.length === 0)
    throw new SettingProblem(['audience'], '"requested" needs "resources": without any, a token would have no audience')
  warnOfLifetime(settings, parts)
  for (const [index, name] of resources.entries()) {
    if (isWholeHost(name)) parts.warn('wide-resource', ['resources', index], 'serves everything on this host')
  }
  return {
    id: parts.id,
    contract: buildContract(contract, parts, ['contract']),
    lifetime: settings.lifetime,
    outlivesSubject: settings.outlivesSubject,
    clients: settings.clients && allowedClients(settings.clients, parts),
    scopes: settings.scopes && new Set(settings.scopes.map(({ name }) => name)),
    binding: { rule: settings.binding, path: ['binding'] },
    binds: () => true,
    resources,
    audiences: settings.audiences,
    audienceFor: requested => (audience !== 'requested' ? audience : requested.length > 0 ? [...new Set(requested)] : resources),
  }
}

function allowedClients(clients: NonNullable<ManagerSettings['clients']>, parts: Parts): AllowedClients {
  const { allow, mode } = Array.isArray(clients) ? { allow: clients, mode: 'enforce' } : clients
  if (mode === 'audit') parts.warn('audit-mode', ['clients', 'mode'], 'is recorded and not enforced: every client may have its tokens')
  return { allow: new Set(allow.map(({ id }) => id)), enforced: mode === 'enforce' }
}

/** The private claim that holds the ids of the tokens that a token comes from. */
export function ancestorsClaim(): 'anc' {
  return 'anc'
}

/** The claims of a new access token (RFC 9068 §2.2, RFC 8693 §4). */
export function claimsOf(grant: Grant, { issuer, id, audience }: { issuer: string; id: string; audience: readonly string[] }): JsonObject {
  const { attributes, client, delegation, binding, scope, ancestors, expiresBy, now } = grant
  return {
    iss: issuer,
    ...attributes,
    aud: audience.length === 1 ? audience[0] : audience,
    client_id: client.id,
    iat: Math.floor(now),
    exp: expiresBy,
    jti: id,
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(delegation.act !== undefined && { act: delegation.act }),
    ...(binding.confirmation !== undefined && { cnf: binding.confirmation }),
    ...(ancestors.length > 0 && { [ancestorsClaim()]: ancestors }),
  }
}

/** How a new token is used (RFC 6750, RFC 9449 §5). One that is bound to a certificate is a bearer token by that name (RFC 8705 §3). */
export function tokenTypeOf({ binding: { confirmation } }: Grant): 'Bearer' | 'DPoP' {
  return confirmation?.jkt === undefined ? 'Bearer' : 'DPoP'
}

/** Reads claims that `claimsOf` made. */
export function accessTokenOf(manager: string, claims: JsonObject): AccessToken {
  const { [ancestorsClaim()]: ancestors, ...shown } = claims
  return {
    id: String(claims.jti),
    manager,
    issuer: String(claims.iss),
    subject: String(claims.sub),
    clientId: String(claims.client_id),
    audiences: listOf(claims.aud),
    scope: typeof claims.scope === 'string' ? claims.scope.split(' ') : [],
    issuedAt: Number(claims.iat),
    expiresAt: Number(claims.exp),
    ancestors: listOf(ancestors),
    claims: shown,
  }
}

function listOf(value: JsonValue | undefined): string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}
