import type { Client } from '../clients/client.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { AssumedToken } from '../processors/assumed.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import type { Server } from '../server.ts'
import { memoryStore } from '../stores/memory.ts'
import type { PolicyCase } from './cases.ts'
import { answering } from './given-answers.ts'

/** Thrown where a case cannot be played at all; `check` has reported it. */
export class NoSuchClient extends Error {}

/**
 * The server on which one case is played: the same as ever, but for four stand-ins. The client is the one that the case names; nothing
 * that other cases have used up is used up; the processors prove what the case says, and lookups find it.
 */
export function stageFor({ client: id, subject, actor, lookups = {}, ...rest }: PolicyCase, server: Server): Server {
  const configured = server.clients.get(id)
  if (configured === undefined) throw new NoSuchClient(`there is no client "${id}"`)
  const instant = rest.now
  const now = instant === undefined ? server.outside.now : () => instant
  const common = { audience: server.issuer, now: now() }
  const tokens = {
    subject: { ...common, says: subject, id: 'subject-token' },
    actor: { ...common, says: actor ?? {}, id: 'actor-token' },
  }
  const acted = (policy: ProcessorPolicy) => answering(believing(policy, tokens), lookups)
  const client = withPolicy(configured, acted)
  return {
    ...server,
    authenticator: { authenticate: async () => client, knows: async () => false },
    defaults: { ...server.defaults, policy: server.defaults.policy && actedDefault(configured, server.defaults.policy, acted) },
    outside: { ...server.outside, now, store: memoryStore(now) },
  }
}

// What the client does not use may have other lookups than the case says.
function actedDefault(client: Client, policy: ProcessorPolicy, acted: (policy: ProcessorPolicy) => ProcessorPolicy): ProcessorPolicy {
  return client.tokenExchange.policy === undefined ? acted(policy) : policy
}

function withPolicy(client: Client, change: (policy: ProcessorPolicy) => ProcessorPolicy): Client {
  const { policy } = client.tokenExchange
  return policy === undefined ? client : { ...client, tokenExchange: { ...client.tokenExchange, policy: change(policy) } }
}

interface AssumedTokens {
  readonly subject: AssumedToken
  readonly actor: AssumedToken
}

function believing(policy: ProcessorPolicy, { subject, actor }: AssumedTokens): ProcessorPolicy {
  const mappings = policy.mappings.map(mapping => ({
    ...mapping,
    subjectProcessor: assuming(mapping.subjectProcessor, subject),
    actor: mapping.actor && { ...mapping.actor, processor: assuming(mapping.actor.processor, actor) },
  }))
  return { ...policy, mappings }
}

function assuming(processor: TokenProcessor, token: AssumedToken): TokenProcessor {
  const { id, limits, issuers, origin, audiences, attributes } = processor
  return {
    ...{ id, limits, issuers, origin, audiences, attributes },
    process: async () => processor.assume(token),
    assume: assumed => processor.assume(assumed),
  }
}
