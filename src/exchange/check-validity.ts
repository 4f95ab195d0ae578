import type { Instant } from '../outside.ts'
import type { AddressedTokens, ProvenToken, ValidTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/** Step 8: both tokens are valid now, within the clock skew of their processor, and as young and short-lived as it wants them (RFC 7519 §4.1.4 to §4.1.6). */
export function checkValidity(tokens: AddressedTokens, now: Instant): ValidTokens {
  requireValid(tokens.subject, now)
  if (tokens.actor !== undefined) requireValid(tokens.actor, now)
  return tokens as ValidTokens
}

function requireValid({ role, processor, proof }: ProvenToken, now: Instant): void {
  const { clockSkew, maxAge, maxLifetime } = processor.limits
  const { expiresAt, notBefore, issuedAt } = proof
  if (expiresAt !== undefined && now >= expiresAt + clockSkew) throw rejected(role, 'it has expired')
  if (notBefore !== undefined && now < notBefore - clockSkew) throw rejected(role, 'it is not valid yet')
  if (issuedAt !== undefined && now < issuedAt - clockSkew) throw rejected(role, 'it was issued in the future')
  if (maxAge !== undefined && (issuedAt === undefined || now - issuedAt > maxAge + clockSkew))
    throw rejected(role, 'it is too old, or does not say when it was issued')
  if (maxLifetime !== undefined && (issuedAt === undefined || expiresAt === undefined || expiresAt - issuedAt > maxLifetime)) {
    throw rejected(role, 'it lives longer than is accepted here, or does not say how long')
  }
}
