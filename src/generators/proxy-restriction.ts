import { OAuthError } from '../oauth/errors.ts'
import type { ProxyRestriction } from '../processors/processor.ts'

/**
 * What the new assertion has to say of assertions that are made from it: one generation fewer, the same audiences (SAML Core
 * §2.5.1.6). Refuses where the inbound one allows no assertion, or none for these audiences.
 */
export function inheritedRestriction(inbound: ProxyRestriction | undefined, audiences: readonly string[]): ProxyRestriction | undefined {
  if (inbound === undefined) return undefined
  const { count, audiences: allowed } = inbound
  if (count !== undefined && count < 1)
    throw new OAuthError('subject-token-rejected', 'no further token may be made from the subject token')
  if (allowed.length > 0 && !audiences.every(audience => allowed.includes(audience)))
    throw new OAuthError('target-not-allowed', 'no token for this audience may be made from the subject token')
  return { audiences: allowed, ...(count !== undefined && { count: count - 1 }) }
}

/** Refuses where the new token has no words for the restriction: whoever takes it could make what the inbound one forbids. */
export function refuseRestricted(inbound: ProxyRestriction | undefined, kind: string): void {
  if (inbound !== undefined)
    throw new OAuthError('subject-token-rejected', `the subject token restricts what is made from it, which ${kind} cannot say`)
}
