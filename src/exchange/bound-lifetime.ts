import { settingOf } from '../config/folders.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { BoundedExpiry, SelectedTarget, UnrestrictedTokens } from './grant.ts'

/**
 * Step 8: the new token ends at the earliest of the target's lifetime and the expiry of the tokens that it comes from, without any
 * skew; and not after `wanted`, where the request says when it is to end.
 */
export function boundLifetime(
  { target, mapping: { maker } }: SelectedTarget,
  tokens: UnrestrictedTokens,
  now: Instant,
  wanted?: Instant,
): BoundedExpiry {
  const subjectEnds = maker.outlivesSubject ? undefined : tokens.subject.proof.expiresAt
  const inboundEnd = Math.floor(Math.min(endOf(subjectEnds), endOf(tokens.actor?.proof.expiresAt)))
  if (inboundEnd - now < 1) {
    const setting = settingOf(
      target.kind === 'access-token-manager' ? 'access-token-managers' : 'token-generators',
      maker.id,
      'outlivesSubject',
    )
    throw new OAuthError('no-lifetime-left', 'the inbound tokens end within a second', { setting })
  }
  // Counted from iat, which is the second that has begun: a lifetime of one second would otherwise never be left.
  return Math.min(Math.floor(now) + maker.lifetime, inboundEnd, Math.floor(endOf(wanted))) as BoundedExpiry
}

// What has no end bounds nothing.
function endOf(expiresAt: Instant | undefined): Instant {
  return expiresAt ?? Number.POSITIVE_INFINITY
}
