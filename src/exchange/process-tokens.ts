import { settingOf } from '../config/folders.ts'
import { OAuthError, TokenRejected } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { ProcessorRequest, TokenProcessor } from '../processors/processor.ts'
import type { ProvenToken, ProvenTokens, SelectedMapping } from './grant.ts'
import type { ExchangeRequest } from './read-request.ts'
import type { Witness } from './witness.ts'

/**
 * Step 7: proves the subject token, then the actor token, each by the processor of its declared type (RFC 8693 §2.1). `known` is what
 * else processors may know of the request.
 */
export async function processTokens(
  mapping: SelectedMapping,
  request: ExchangeRequest,
  now: Instant,
  witness: Witness,
  known: Omit<ProcessorRequest, 'now'> = {},
): Promise<ProvenTokens> {
  const subject = witness.proven(await prove('subject', mapping.subjectProcessor, request.subjectToken, { now, ...known }))
  if (mapping.subjectIssuer !== undefined && subject.proof.issuer !== mapping.subjectIssuer)
    throw rejected(subject, 'it was issued by somebody else')
  if (mapping.actor === undefined || request.actor === undefined) return { subject, actor: undefined } as ProvenTokens
  const actor = witness.proven(await prove('actor', mapping.actor.processor, request.actor.token, { now, ...known }))
  return { subject, actor } as ProvenTokens
}

async function prove(role: ProvenToken['role'], processor: TokenProcessor, token: string, request: ProcessorRequest): Promise<ProvenToken> {
  try {
    return { role, processor, proof: await processor.process(token, request) }
  } catch (error) {
    if (!(error instanceof TokenRejected)) throw error
    throw rejected({ role, processor }, error.message, { cause: error, member: error.member })
  }
}

interface Rejection {
  readonly cause?: unknown
  /** The member of the processor's file that decided so. */
  readonly member?: string | undefined
}

/** The one refusal for a subject or actor token that is invalid or not acceptable, for whatever reason (RFC 8693 §2.2.2). */
export function rejected(
  { role, processor }: Pick<ProvenToken, 'role' | 'processor'>,
  why: string,
  { cause, member }: Rejection = {},
): OAuthError {
  const setting = settingOf('token-processors', processor.id, ...(member === undefined ? [] : [member]))
  return new OAuthError(`${role}-token-rejected`, `the ${role} token is refused: ${why}`, { cause, setting })
}
