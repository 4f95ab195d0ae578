import type { JsonObject } from '../json.ts'
import type { ProvenToken, SelectedMapping, UsableTokens, ValidTokens } from './grant.ts'
import type { Possession } from './possession.ts'
import { rejected } from './process-tokens.ts'

/**
 * Step 8: a token that is bound to a key (RFC 7800) is no bearer token. Without proof of that key, only its thief would send it. Where
 * the mapping says `rebind`, the subject token may be bound to another one: whoever acts for its subject is proved by a token as well.
 */
export function checkBinding({ rebind }: Pick<SelectedMapping, 'rebind'>, tokens: ValidTokens, possession: Possession): UsableTokens {
  if (!(rebind && tokens.actor !== undefined)) requireProved(tokens.subject, possession)
  else requireAnyProved(tokens.subject, possession)
  if (tokens.actor !== undefined) requireProved(tokens.actor, possession)
  return tokens as UsableTokens
}

function requireProved(token: ProvenToken, possession: Possession): void {
  const { confirmation } = token.proof
  if (confirmation === undefined) return
  const proved = provedOf(possession)
  for (const [member, value] of membersOf(token, confirmation)) {
    const key = proved[member]
    if (key === undefined) throw rejected(token, `it is bound to a key (cnf), and the request proves none of its kind (${member})`)
    if (key !== value) throw rejected(token, `it is bound to a key (cnf), and the request proves another one (${member})`)
  }
}

// A bound token must not become one that anybody can use.
function requireAnyProved(token: ProvenToken, possession: Possession): void {
  const { confirmation } = token.proof
  if (confirmation === undefined) return
  membersOf(token, confirmation)
  if (Object.values(provedOf(possession)).every(key => key === undefined))
    throw rejected(token, 'it is bound to a key (cnf), and the request proves none to which a new token could be bound')
}

type Member = 'jkt' | 'x5t#S256'

// RFC 7800 §3.1: what is not understood must not be ignored. Every member that is there has to be met.
function membersOf(token: ProvenToken, confirmation: JsonObject): ReadonlyArray<readonly [Member, string]> {
  const members = Object.entries(confirmation).map(([name, value]) => {
    if (name !== 'jkt' && name !== 'x5t#S256')
      throw rejected(token, `it is bound to a key (cnf) in a way that is not known here${shown(name)}`)
    if (typeof value !== 'string' || value === '') throw rejected(token, `it is bound to a key (cnf), and ${name} is no thumbprint`)
    return [name, value] as const
  })
  if (members.length === 0) throw rejected(token, 'it is bound to a key (cnf), and does not say to which')
  return members
}

// The other members that are registered (RFC 7800 §6.2), and nothing that a request could have written.
function shown(name: string): string {
  return ['jwk', 'jwe', 'kid', 'jku', 'osc'].includes(name) ? ` (${name})` : ''
}

function provedOf({ jkt, certificate }: Possession): Readonly<Record<Member, string | undefined>> {
  return { jkt, 'x5t#S256': certificate?.thumbprint }
}
