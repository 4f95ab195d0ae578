import { hash } from 'node:crypto'
import { settingOf } from '../config/folders.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import { longestClockSkew } from '../processors/common-settings.ts'
import type { Store } from '../stores/store.ts'
import type { ProvenToken, UsableTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/** Step 12: records the tokens whose processor takes each only once, or that say so themselves. Comes last, so that a refused request uses nothing up. */
export async function useOnce(store: Store, tokens: UsableTokens, now: Instant): Promise<void> {
  const once = [tokens.subject, ...(tokens.actor === undefined ? [] : [tokens.actor])].filter(isForOneUse)
  await recordAll(
    store,
    once.map(token => useOf(token, now)),
  )
}

function isForOneUse({ processor, proof }: ProvenToken): boolean {
  return processor.limits.once || proof.oneTimeUse === true
}

// The request is refused as a whole: when a later token cannot be used, what was recorded of earlier ones is taken back. Never
// that of the token itself, which may be the record of an exchange that succeeded.
async function recordAll(store: Store, [use, ...others]: readonly Use[]): Promise<void> {
  if (use === undefined) return
  if (!(await store.putIfAbsent(use.key, '', use.seconds)))
    throw new OAuthError('already-used', `the ${use.token.role} token was exchanged before, and can be only once`, {
      setting: settingOf('token-processors', use.token.processor.id, 'once'),
    })
  try {
    await recordAll(store, others)
  } catch (refusal) {
    await store.delete(use.key).catch(() => undefined)
    throw refusal
  }
}

interface Use {
  readonly token: ProvenToken
  readonly key: string
  readonly seconds: number
}

// By issuer and id, never by the token's text: the same token can be written in many ways.
function useOf(token: ProvenToken, now: Instant): Use {
  const { proof } = token
  if (proof.id === undefined) throw rejected(token, 'it can be used only once, and has no id', { member: 'once' })
  if (proof.expiresAt === undefined) throw rejected(token, 'it can be used only once, and does not say when it expires', { member: 'once' })
  const key = `used:${hash('sha256', `${proof.issuer}\0${proof.id}`, 'base64url')}`
  // Another processor of the same issuer may be more patient with clocks, and would take the token again.
  return { token, key, seconds: Math.max(1, Math.ceil(proof.expiresAt + longestClockSkew - now)) }
}
