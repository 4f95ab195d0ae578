import { OAuthError } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { BoundedExpiry, SelectedTarget, UsableTokens } from './grant.ts'

/** Step 8: the new token ends at the earliest of the target's lifetime and the expiry of the tokens that it comes from, without any skew. */
export function boundLifetime({ mapping: { maker } }: SelectedTarget, tokens: UsableTokens, now: Instant): BoundedExpiry {
  const subjectEnds = maker.outlivesSubject ? undefined : tokens.subject.proof.expiresAt
  const ends = [now + maker.lifetime, subjectEnds ?? Number.POSITIVE_INFINITY, tokens.actor?.proof.expiresAt ?? Number.POSITIVE_INFINITY]
  const expiresBy = Math.floor(Math.min(...ends))
  if (expiresBy - now < 1) throw new OAuthError('no-lifetime-left', 'the inbound tokens end within a second')
  return expiresBy as BoundedExpiry
}
