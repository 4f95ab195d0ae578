import { memberName } from '../config/problems.ts'
import { exchange, type TokenAnswer } from '../exchange/exchange.ts'
import type { IssuedToken, MappedAttributes, TokenContent } from '../exchange/grant.ts'
import { noEvidence } from '../exchange/possession.ts'
import { Form } from '../http/form.ts'
import type { JsonObject } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import { AuditEntry, type Facts } from '../observe/audit-entry.ts'
import { AssumptionMistake } from '../processors/assumed.ts'
import type { Server } from '../server.ts'
import { answerRequest } from '../sts/answer-request.ts'
import type { MessageParameters, PolicyCase } from './cases.ts'
import { AnswerMistake } from './given-answers.ts'
import { messageOf } from './message.ts'
import { NoSuchClient, stageFor } from './stage.ts'

/** What came of a case. */
export type Outcome =
  | {
      readonly is: 'issued'
      readonly answer: Pick<TokenAnswer, 'issued_token_type' | 'expires_in' | 'scope'>
      readonly content: TokenContent
      readonly attributes: JsonObject
      readonly facts: Readonly<Facts>
      /** What was said of the incoming token, where that was asked too. */
      readonly isValid?: boolean
    }
  /** Only by `Validate`: nothing is issued, and nothing refused. */
  | { readonly is: 'judged'; readonly isValid: boolean; readonly refusal: OAuthError | undefined; readonly facts: Readonly<Facts> }
  | { readonly is: 'refused'; readonly refusal: OAuthError; readonly facts: Readonly<Facts> }
  /** The case itself is wrong, or something broke. */
  | { readonly is: 'failed'; readonly why: string }

/** Plays one case: a whole exchange by the real pipeline, without a token, a secret or another server. */
export async function play(policyCase: PolicyCase, server: Server): Promise<Outcome> {
  const entry = new CaseEntry()
  try {
    const stage = stageFor(policyCase, server)
    const { message } = policyCase
    return message === undefined ? await playRequest(policyCase, stage, entry) : await playMessage({ ...policyCase, message }, stage, entry)
  } catch (error) {
    return failureOf(error, entry.facts)
  }
}

async function playRequest(policyCase: PolicyCase, stage: Server, entry: CaseEntry): Promise<Outcome> {
  const credentials = { method: 'none', because: 'a policy test has none' } as const
  const request = { credentials, form: formOf(policyCase), clientIp: policyCase.clientIp, evidence: noEvidence }
  const answer = await exchange(stage, request, entry)
  const { content, attributes } = entry
  return asWritten({ is: 'issued', answer, content, attributes, facts: entry.facts })
}

async function playMessage(policyCase: PolicyCase & { message: MessageParameters }, stage: Server, entry: CaseEntry): Promise<Outcome> {
  const { issued, status } = await answerRequest(stage, await messageOf(policyCase, stage), entry)
  const { content, attributes, facts } = entry
  if (issued === undefined) return { is: 'judged', isValid: status?.valid === true, refusal: status?.refusal, facts }
  const expiresIn = issued.token.expiresAt - Math.floor(stage.outside.now())
  const answer = { issued_token_type: issued.target.issuedTokenType, expires_in: expiresIn }
  return asWritten({ is: 'issued', answer, content, attributes, facts, ...(status && { isValid: status.valid }) })
}

// A token is JSON, in which members that are undefined do not exist.
function asWritten<Value extends object>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}

function failureOf(error: unknown, facts: Readonly<Facts>): Outcome {
  if (error instanceof OAuthError) return { is: 'refused', refusal: error, facts }
  if (error instanceof AssumptionMistake)
    return { is: 'failed', why: `no such token can be assumed: ${memberName(error.path)}: ${error.message}` }
  if (error instanceof NoSuchClient || error instanceof AnswerMistake) return { is: 'failed', why: error.message }
  return { is: 'failed', why: `an internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` }
}

/** The audit record of a case, and what no record may hold: the contents of its token. */
class CaseEntry extends AuditEntry {
  attributes: JsonObject = {}
  content: TokenContent = { claims: {} }

  override mapped(attributes: MappedAttributes): MappedAttributes {
    this.attributes = attributes
    return super.mapped(attributes)
  }

  override issued(token: IssuedToken): IssuedToken {
    this.content = token.content
    return super.issued(token)
  }
}

// The texts are never looked at: what they would prove is assumed.
function formOf({ request, actor }: PolicyCase): Form {
  const parameters = {
    ...request,
    subject_token: 'assumed-subject-token',
    ...(actor !== undefined && { actor_token: 'assumed-actor-token' }),
  }
  const repeatable = new Map<string, readonly string[]>()
  const single = new Map<string, string>()
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'resource' || name === 'audience')
      repeatable.set(
        name,
        [value].flat().filter(each => each !== ''),
      )
    else single.set(name, String(value))
  }
  return new Form(single, repeatable)
}
