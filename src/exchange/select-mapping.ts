import { settingOf } from '../config/folders.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { ProcessorMapping, ProcessorPolicy } from '../policies/processor-policy.ts'
import type { SelectedMapping } from './grant.ts'
import type { ExchangeRequest } from './read-request.ts'
import type { Witness } from './witness.ts'

/** Step 5: the mapping for exactly this pair of token types. Types are compared as strings, a token is never looked at to guess its type. */
export function selectMapping(policy: ProcessorPolicy, request: ExchangeRequest, witness: Witness): SelectedMapping {
  witness.considered('mapping', () =>
    policy.mappings.map(mapping => ({ name: `${mapping.name} (${pairOf(mapping)})`, because: misfit(mapping, request) })),
  )
  if (policy.actorToken === 'required' && request.actor === undefined)
    throw refusal('the policy requires an actor_token', policy, 'actorToken')
  if (policy.actorToken === 'refused' && request.actor !== undefined) throw refusal('the policy takes no actor_token', policy, 'actorToken')
  const mapping = policy.mappings.find(candidate => misfit(candidate, request) === undefined)
  if (mapping === undefined) {
    const taken = policy.mappings.map(pairOf).join(', or ')
    throw refusal(`the policy does not take these token types; it takes ${taken}`, policy, 'processors')
  }
  return mapping as SelectedMapping
}

/** Why a mapping is not the one for a request; undefined when it is. */
function misfit({ subjectTokenType, actor }: ProcessorMapping, request: ExchangeRequest): string | undefined {
  if (subjectTokenType !== request.subjectTokenType) return 'takes another subject_token_type'
  if (actor?.tokenType === request.actor?.tokenType) return undefined
  if (actor === undefined) return 'takes no actor_token'
  return request.actor === undefined ? 'wants an actor_token' : 'takes another actor_token_type'
}

function refusal(why: string, policy: ProcessorPolicy, member: string): OAuthError {
  return new OAuthError('no-mapping', why, { setting: settingOf('processor-policies', policy.id, member) })
}

function pairOf({ subjectTokenType, actor }: ProcessorMapping): string {
  return `${subjectTokenType} ${actor === undefined ? 'without an actor' : `with an actor of ${actor.tokenType}`}`
}
