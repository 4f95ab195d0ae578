import { OAuthError } from '../oauth/errors.ts'
import type { ProvenToken, TracedAncestors, UnrestrictedTokens } from './grant.ts'

const mostAncestors = 16

/** The tokens of this server that the new one comes from, so that revoking one of them reaches it (RFC 7009 §2.1). Never truncated. */
export function traceAncestors(tokens: UnrestrictedTokens): TracedAncestors {
  const ids = new Set([...lineOf(tokens.subject), ...(tokens.actor === undefined ? [] : lineOf(tokens.actor))])
  if (ids.size > mostAncestors) throw new OAuthError('descent-too-long', `a token may come from at most ${mostAncestors} earlier exchanges`)
  return [...ids] as readonly string[] as TracedAncestors
}

function lineOf({ processor, proof }: ProvenToken): readonly string[] {
  if (processor.origin !== 'own') return []
  return proof.id === undefined ? [] : [proof.id, ...(proof.ancestors ?? [])]
}
