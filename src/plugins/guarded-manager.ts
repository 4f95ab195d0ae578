import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { AccessToken, AccessTokenManager } from '../access-tokens/access-token-manager.ts'
import { managerBasics, managerSettings, tokenTypeOf } from '../access-tokens/manager-settings.ts'
import { Revocations } from '../access-tokens/revocations.ts'
import type { Grant, IssuedToken } from '../exchange/grant.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'
import type { Parts } from '../plugin.ts'
import { type Border, called, calledAtOnce } from './border.ts'
import { checkedAccessToken } from './facts.ts'
import { brokenPromise } from './fault.ts'
import { acceptedToken, generated, grantForPlugin, type PluginGrant, type PluginIssuedToken } from './guarded-generator.ts'
import { checkedBuilt } from './promised.ts'

/** The settings that every access token manager has. The server applies them. */
export const accessTokenManagerSettings = managerSettings

/** What has been decided for a new access token, as a plug-in is told. */
export interface PluginAccessGrant extends PluginGrant {
  readonly scope: readonly string[]
  /** The `aud` of the token. */
  readonly audience: readonly string[]
  /** Ids of the tokens of this server that it comes from: `read` has to give them back, or their revocation does not reach it. */
  readonly ancestors: readonly string[]
  /** The key that the token is bound to (RFC 7800), which its claims have to say as `cnf`; undefined: whoever has the token may use it. */
  readonly confirmation: JsonObject | undefined
}

/** What the builder of an access token manager gives: the rest of an `AccessTokenManager` is in its settings. */
export interface PluginAccessTokenManager {
  generate(grant: PluginAccessGrant): Promise<PluginIssuedToken>
  /** Undefined when the token is not one of its own. The server itself looks at its end and at revocations. */
  read(token: string, now: Instant): Promise<AccessToken | undefined>
  /** What `read` would give for a token with these claims. */
  assume(claims: JsonObject, now: Instant): AccessToken | undefined
}

const method = z.custom(value => typeof value === 'function', 'expected a function')
const promised = z.looseObject({ generate: method, read: method, assume: method })
type Settings = z.output<z.ZodObject<typeof managerSettings>>

/** An access token manager of a plug-in behind the border: no token of it outlives a decision, its end, or a revocation. */
export function guardedManager(
  value: unknown,
  settings: object,
  parts: Parts,
  { type, ...border }: Border & { type: string },
): AccessTokenManager {
  const built = checkedBuilt(promised, value) as unknown as PluginAccessTokenManager
  const basics = managerBasics(settings as Settings, parts)
  const revocations = new Revocations(parts.outside.store)
  const current = (call: string, stated: unknown, now: Instant) => {
    const read = stated === undefined ? undefined : checkedAccessToken({ ...border, call }, stated)
    if (read !== undefined && (read.manager !== parts.id || read.issuer !== parts.issuer))
      throw brokenPromise({ ...border, call }, 'manager, issuer: not its own')
    return read !== undefined && now < read.expiresAt ? read : undefined
  }
  return {
    ...basics,
    type,
    async generate(grant) {
      const issued = acceptedToken(await generated(border, () => built.generate(accessGrantOf(grant, basics))), {
        border,
        grant,
        tokenType: 'Bearer',
      })
      requireBinding(issued, grant, border)
      return { ...issued, tokenType: tokenTypeOf(grant) }
    },
    async read(token, now) {
      const read = current('read', await called(border, 'read', token, () => built.read(token, now)), now)
      return read === undefined || (await revocations.reach(read.id, read.ancestors)) ? undefined : read
    },
    assume: (claims, now) =>
      current(
        'assume',
        calledAtOnce(border, 'assume', '', () => built.assume(claims, now)),
        now,
      ),
  }
}

function accessGrantOf(grant: Grant, { audienceFor }: Pick<AccessTokenManager, 'audienceFor'>): PluginAccessGrant {
  const { scope, ancestors, target, binding } = grant
  return {
    ...grantForPlugin(grant),
    ...{ scope, ancestors, audience: audienceFor(target.resources) },
    confirmation: binding.confirmation as JsonObject | undefined,
  }
}

// A token that was to be bound and is not could be used by whoever steals it.
function requireBinding({ content }: IssuedToken, { binding: { confirmation } }: Grant, border: Border): void {
  const said = 'claims' in content ? content.claims.cnf : undefined
  if (!isDeepStrictEqual(said ?? undefined, confirmation))
    throw brokenPromise({ ...border, call: 'generate' }, 'content.claims.cnf: not the confirmation of the grant')
}
