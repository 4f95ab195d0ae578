import type { Instant } from '../outside.ts'
import type { AddressedTokens, ProvenToken, ValidTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/** Step 8: both tokens are valid now, within the clock skew of their processor, and as young and short-lived as it wants them (RFC 7519 §4.1.4 to §4.1.6). */
export function checkValidity(tokens: AddressedTokens, now: Instant): ValidTokens {
  requireValid(tokens.subject, now)
  if (tokens.actor !== undefined) requireValid(tokens.actor, now)
  return tokens as ValidTokens
}

function requireValid(token: ProvenToken, now: Instant): void {
  const { clockSkew, maxAge, maxLifetime } = token.processor.limits
  const { expiresAt, notBefore, issuedAt } = token.proof
  if (expiresAt !== undefined && now >= expiresAt + clockSkew) throw rejected(token, 'it has expired', { member: 'clockSkew' })
  if (notBefore !== undefined && now < notBefore - clockSkew) throw rejected(token, 'it is not valid yet', { member: 'clockSkew' })
  if (issuedAt !== undefined && now < issuedAt - clockSkew) throw rejected(token, 'it was issued in the future', { member: 'clockSkew' })
  if (maxAge !== undefined && (issuedAt === undefined || now - issuedAt > maxAge + clockSkew))
    throw rejected(token, 'it is too old, or does not say when it was issued', { member: 'maxAge' })
  if (maxLifetime !== undefined && (issuedAt === undefined || expiresAt === undefined || expiresAt - issuedAt > maxLifetime)) {
    throw rejected(token, 'it lives longer than is accepted here, or does not say how long', { member: 'maxLifetime' })
  }
}
