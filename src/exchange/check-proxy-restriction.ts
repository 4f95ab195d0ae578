import type { ProvenToken, SelectedTarget, UnrestrictedTokens, UsableTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/**
 * Step 8: a token that says how far others may be made from it (SAML Core §2.5.1.6) is taken only for a target that it allows and
 * that hands the restriction on. An access token cannot, so that nothing is made of such a token here.
 */
export function checkProxyRestriction({ mapping: { maker } }: SelectedTarget, tokens: UsableTokens): UnrestrictedTokens {
  for (const token of [tokens.subject, ...(tokens.actor === undefined ? [] : [tokens.actor])]) requirePermitted(token, maker)
  return tokens as UnrestrictedTokens
}

function requirePermitted(token: ProvenToken, maker: SelectedTarget['mapping']['maker']): void {
  const { proxyRestriction } = token.proof
  // That of an actor would be lost: the new token hands on the subject's only.
  if (proxyRestriction === undefined || (token.role === 'subject' && maker.permits?.(proxyRestriction) === true)) return
  throw rejected(token, 'it restricts what may be made from it (ProxyRestriction), and this is not allowed')
}
