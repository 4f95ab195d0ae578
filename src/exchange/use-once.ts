import { hash } from 'node:crypto'
import { OAuthError } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { Store } from '../stores/store.ts'
import type { ProvenToken, UnrestrictedTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/** Step 12: records the tokens whose processor takes each only once, or that say so themselves. Comes last, so that a refused request uses nothing up. */
export async function useOnce(store: Store, tokens: UnrestrictedTokens, now: Instant): Promise<void> {
  const once = [tokens.subject, ...(tokens.actor === undefined ? [] : [tokens.actor])].filter(isForOneUse)
  const uses = once.map(token => useOf(token, now))
  for (const [index, { role, key, seconds }] of uses.entries()) {
    if (await store.putIfAbsent(key, '', seconds)) continue
    // The request is refused as a whole: what it had recorded of the other token is taken back.
    for (const earlier of uses.slice(0, index)) await store.delete(earlier.key)
    throw new OAuthError('already-used', `the ${role} token was exchanged before, and can be only once`)
  }
}

function isForOneUse({ processor, proof }: ProvenToken): boolean {
  return processor.limits.once || proof.oneTimeUse === true
}

// By issuer and id, never by the token's text: the same token can be written in many ways.
function useOf({ role, processor, proof }: ProvenToken, now: Instant) {
  if (proof.id === undefined) throw rejected(role, 'it can be used only once, and has no id')
  if (proof.expiresAt === undefined) throw rejected(role, 'it can be used only once, and does not say when it expires')
  const key = `used:${hash('sha256', `${proof.issuer}\0${proof.id}`, 'base64url')}`
  return { role, key, seconds: Math.max(1, Math.ceil(proof.expiresAt + processor.limits.clockSkew - now)) }
}
