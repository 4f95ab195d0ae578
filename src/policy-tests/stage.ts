import type { Client } from '../clients/client.ts'
import type { Instant } from '../outside.ts'
import type { IdpConnection } from '../policies/idp-connection.ts'
import type { ProcessorMapping, ProcessorPolicy } from '../policies/processor-policy.ts'
import type { AssumedToken } from '../processors/assumed.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import type { Server } from '../server.ts'
import { memoryStore } from '../stores/memory.ts'
import type { PolicyCase } from './cases.ts'
import { answering, answeringConnection } from './given-answers.ts'
import { connectionOf } from './message.ts'

/** Thrown where a case cannot be played at all; `check` has reported it. */
export class NoSuchClient extends Error {}

/**
 * The server on which one case is played: the same as ever, but for four stand-ins. The client is the one that the case names; nothing
 * that other cases have used up is used up; the processors prove what the case says, and lookups find it.
 */
export function stageFor(policyCase: PolicyCase, server: Server): Server {
  const { client: id, subject, message, lookups = {}, ...rest } = policyCase
  const configured = server.clients.get(id)
  if (configured === undefined) throw new NoSuchClient(`there is no client "${id}"`)
  // It stands still: a second that begins in the middle of a case would be one of its lifetime.
  const instant = rest.now ?? server.outside.now()
  const now = () => instant
  const tokens = assumedTokens(policyCase, server.issuer, instant)
  const stage = { ...server, outside: { ...server.outside, now, store: memoryStore(now) } }
  const authenticator = (client: Client) => ({ authenticate: async () => client, knows: async () => false })
  if (message !== undefined) {
    const asked = connectionOf(message, subject, server)
    const connections =
      asked && new Map(server.connections).set(asked.id, answeringConnection(assumingConnection(asked, policyCase, instant), lookups))
    return { ...stage, authenticator: authenticator(configured), ...(connections && { connections }) }
  }
  const acted = (policy: ProcessorPolicy) => answering(believing(policy, tokens), lookups)
  const client = withPolicy(configured, acted)
  const policy = server.defaults.policy && actedDefault(configured, server.defaults.policy, acted)
  return { ...stage, authenticator: authenticator(client), defaults: { ...server.defaults, policy } }
}

function assumingConnection(connection: IdpConnection, policyCase: PolicyCase, now: Instant): IdpConnection {
  const { mapping, actorMapping } = connection
  const tokens = tokensForConnection(connection, policyCase, now)
  return { ...connection, mapping: believed(mapping, tokens), actorMapping: actorMapping && believed(actorMapping, tokens) }
}

/** What the tokens of a case say: to the token endpoint they are for this server. */
export function assumedTokens({ subject, actor }: PolicyCase, audience: string, now: Instant): AssumedTokens {
  return {
    subject: { audience, now, says: subject, id: 'subject-token' },
    actor: { audience, now, says: actor ?? {}, id: 'actor-token' },
  }
}

/** To a connection they are for the virtual server that is addressed, and come from its partner, where the case does not say otherwise. */
export function tokensForConnection(
  { form, entityId, virtualServerIds }: IdpConnection,
  policyCase: PolicyCase,
  now: Instant,
): AssumedTokens {
  const audience = policyCase.message?.virtualServerId ?? virtualServerIds[0]
  const { subject, actor } = assumedTokens(policyCase, audience, now)
  const usual = form === 'assertion' ? { issuer: entityId } : form === 'text' ? { iss: entityId } : {}
  return { subject: { ...subject, says: { ...usual, ...subject.says } }, actor }
}

// What the client does not use may have other lookups than the case says.
function actedDefault(client: Client, policy: ProcessorPolicy, acted: (policy: ProcessorPolicy) => ProcessorPolicy): ProcessorPolicy {
  return client.tokenExchange.policy === undefined ? acted(policy) : policy
}

function withPolicy(client: Client, change: (policy: ProcessorPolicy) => ProcessorPolicy): Client {
  const { policy } = client.tokenExchange
  return policy === undefined ? client : { ...client, tokenExchange: { ...client.tokenExchange, policy: change(policy) } }
}

/** What both tokens of a case say. */
export interface AssumedTokens {
  readonly subject: AssumedToken
  readonly actor: AssumedToken
}

function believing(policy: ProcessorPolicy, tokens: AssumedTokens): ProcessorPolicy {
  return { ...policy, mappings: policy.mappings.map(mapping => believed(mapping, tokens)) }
}

function believed(mapping: ProcessorMapping, { subject, actor }: AssumedTokens): ProcessorMapping {
  return {
    ...mapping,
    subjectProcessor: assuming(mapping.subjectProcessor, subject),
    actor: mapping.actor && { ...mapping.actor, processor: assuming(mapping.actor.processor, actor) },
  }
}

function assuming(processor: TokenProcessor, token: AssumedToken): TokenProcessor {
  const { id, limits, issuers, origin, audiences, attributes, form, wellKnownTypes } = processor
  return {
    ...{ id, limits, issuers, origin, audiences, attributes },
    ...(form && { form }),
    ...(wellKnownTypes && { wellKnownTypes }),
    process: async () => processor.assume(token),
    assume: assumed => processor.assume(assumed),
  }
}
