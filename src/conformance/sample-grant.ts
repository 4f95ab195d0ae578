import type { AccessTokenManager } from '../access-tokens/access-token-manager.ts'
import type { Grant } from '../exchange/grant.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'
import type { TokenMaker } from '../policies/target.ts'
import type { Actor } from '../processors/processor.ts'

/** What an exchange would have decided. */
export interface Decision {
  readonly attributes: JsonObject
  readonly now: Instant
  readonly scope?: readonly string[]
  readonly act?: Actor
  readonly ancestors?: readonly string[]
  readonly confirmation?: JsonObject
}

/** A grant for a token maker that no exchange has come to: for checks only. */
export function sampleGrant(maker: TokenMaker, { attributes, now, scope = [], act, ancestors = [], confirmation }: Decision): Grant {
  const resources = (maker as Partial<AccessTokenManager>).resources ?? []
  return {
    attributes,
    client: { id: 'conformance-client' },
    delegation: { act },
    binding: { confirmation, certificate: undefined },
    scope,
    ancestors,
    expiresBy: Math.floor(now) + Math.min(maker.lifetime, 300),
    target: { resources },
    authentication: undefined,
    proxyRestriction: undefined,
    now,
  } as unknown as Grant
}
