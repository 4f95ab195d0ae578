import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Actor, Proof } from '../processors/processor.ts'
import type { Server } from '../server.ts'
import type { CheckedDelegation, ExchangingClient, ProvenToken, SelectedTarget, UnrestrictedTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/** Who asks, and whether it acts in the new token itself where no token says who else does (WS-Trust 1.4 §9.3). */
interface Asking {
  readonly server: Pick<Server, 'issuer' | 'maxActorDepth'>
  readonly client: ExchangingClient
  readonly acts: boolean
}

/** Step 8: who acts in the new token (RFC 8693 §4.1), and whether the subject allowed it (§4.4). */
export function delegate(asking: Asking, target: SelectedTarget, tokens: UnrestrictedTokens): CheckedDelegation {
  const { server, client } = asking
  const subject = tokens.subject.proof
  const actor = tokens.actor?.proof
  if (tokens.actor?.proof.act !== undefined)
    throw rejected(tokens.actor, 'somebody acts in it for its subject (act); that chain would be lost')
  if (subject.mayAct !== undefined) requireAllowed(subject, actor ?? clientAsActor(server, client))
  const earlier = readActors(tokens.subject, subject.act)
  const self = asking.acts ? addNamed({ iss: server.issuer, sub: client.id }, earlier) : earlier
  const act = tokens.actor === undefined ? self : addActor(tokens.actor, subject, earlier)
  if (depthOf(act) > server.maxActorDepth) {
    const why = `the chain of actors would be longer than ${server.maxActorDepth}`
    throw new OAuthError('delegation-refused', why, { setting: 'server.json delegation.maxDepth' })
  }
  // Dropping the actor would turn delegation into impersonation.
  if (act !== undefined && !target.mapping.expressesActor) {
    const why = 'the token would not say who acts for its subject: its mapping does not read act'
    throw new OAuthError('delegation-refused', why, { setting: target.mapping.fulfilment.setting })
  }
  return { act } as CheckedDelegation
}

// Acting for oneself is no delegation, and whoever already acts does not act a second time.
function addActor(actor: ProvenToken, of: Proof, earlier: Actor | undefined): Actor | undefined {
  const { issuer, subject, subjectQualifier } = actor.proof
  if (issuer === of.issuer && subject === of.subject) {
    // Two people whom only a qualifier tells apart: { iss, sub } would name the subject as its own actor.
    if (subjectQualifier !== of.subjectQualifier) throw rejected(actor, 'only a qualifier tells its subject from that of the subject token')
    return earlier
  }
  return addNamed({ iss: issuer, sub: subject }, earlier)
}

function addNamed({ iss, sub }: Actor, earlier: Actor | undefined): Actor {
  if (earlier !== undefined && earlier.iss === iss && earlier.sub === sub) return earlier
  return { iss, sub, ...(earlier !== undefined && { act: earlier }) }
}

/** The chain of actors in a token, each with its issuer; `exp`, `nbf` and `aud` have no meaning there and are refused. */
function readActors(token: ProvenToken, act: JsonValue | undefined): Actor | undefined {
  if (act === undefined) return undefined
  if (!isJsonObject(act)) throw rejected(token, 'its act claim is no object')
  const { iss = token.proof.issuer, sub, act: earlier, ...others } = act
  if (typeof sub !== 'string' || sub === '' || typeof iss !== 'string')
    throw rejected(token, 'its act claim does not name an actor by sub and iss')
  if ('exp' in others || 'nbf' in others || 'aud' in others) throw rejected(token, 'its act claim has exp, nbf or aud')
  const nested = readActors(token, earlier)
  return { ...others, iss, sub, ...(nested !== undefined && { act: nested }) }
}

function depthOf(act: Actor | undefined): number {
  return act === undefined ? 0 : 1 + depthOf(act.act)
}

function clientAsActor(server: Pick<Server, 'issuer'>, client: ExchangingClient): JsonObject {
  return { iss: server.issuer, sub: client.id, client_id: client.id }
}

// Every member of may_act narrows who is meant, so that one which the actor lacks refuses it.
function requireAllowed(subject: Proof, actor: Proof | JsonObject): void {
  const mayAct = subject.mayAct
  const claims: JsonObject = isProof(actor) ? { ...actor.attributes, iss: actor.issuer, sub: actor.subject } : actor
  const allowed =
    isJsonObject(mayAct) &&
    Object.keys(mayAct).length > 0 &&
    Object.entries({ iss: subject.issuer, ...mayAct }).every(
      ([name, value]) => Object.hasOwn(claims, name) && isDeepStrictEqual(claims[name], value),
    )
  if (!allowed) throw new OAuthError('delegation-refused', 'the may_act claim of the subject token allows another actor only')
}

function isProof(actor: Proof | JsonObject): actor is Proof {
  return 'attributes' in actor && 'issuer' in actor
}
