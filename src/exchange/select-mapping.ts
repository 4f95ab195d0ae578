import { OAuthError } from '../oauth/errors.ts'
import type { ProcessorMapping, ProcessorPolicy } from '../policies/processor-policy.ts'
import type { SelectedMapping } from './grant.ts'
import type { ExchangeRequest } from './read-request.ts'

/** Step 5: the mapping for exactly this pair of token types. Types are compared as strings, a token is never looked at to guess its type. */
export function selectMapping(policy: ProcessorPolicy, request: ExchangeRequest): SelectedMapping {
  if (policy.actorToken === 'required' && request.actor === undefined)
    throw new OAuthError('no-mapping', 'the policy requires an actor_token')
  if (policy.actorToken === 'refused' && request.actor !== undefined) throw new OAuthError('no-mapping', 'the policy takes no actor_token')
  const mapping = policy.mappings.find(
    candidate => candidate.subjectTokenType === request.subjectTokenType && candidate.actor?.tokenType === request.actor?.tokenType,
  )
  if (mapping === undefined)
    throw new OAuthError('no-mapping', `the policy does not take these token types; it takes ${policy.mappings.map(pairOf).join(', or ')}`)
  return mapping as SelectedMapping
}

function pairOf({ subjectTokenType, actor }: ProcessorMapping): string {
  return `${subjectTokenType} ${actor === undefined ? 'without an actor' : `with an actor of ${actor.tokenType}`}`
}
