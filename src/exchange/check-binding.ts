import type { ProvenToken, UsableTokens, ValidTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/** Step 8: a token that is bound to a key (RFC 7800) is no bearer token. Without proof of that key, only its thief would send it. */
export function checkBinding(tokens: ValidTokens): UsableTokens {
  requireUnbound(tokens.subject)
  if (tokens.actor !== undefined) requireUnbound(tokens.actor)
  return tokens as UsableTokens
}

function requireUnbound(token: ProvenToken): void {
  if (token.proof.confirmation !== undefined) throw rejected(token, 'it is bound to a key (cnf), and the request proves none')
}
