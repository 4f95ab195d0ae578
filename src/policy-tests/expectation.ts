import { z } from 'zod'
import { reference, strict } from '../config/values.ts'
import { type RefusalReason, refusals } from '../oauth/errors.ts'
import { faultNameOf } from '../sts/faults.ts'

const token = z.record(z.string(), z.json())
const idpConnection = reference('idp-connections').optional().meta({ description: 'The IdP connection by which it is judged' })
const decidedBy = z
  .string()
  .min(1)
  .optional()
  .meta({ description: 'A part of what the record calls the setting: "clients/orders.json scopes"' })
const reason = z.enum(reasons()).optional()

const issued = strict({
  // Without these, a misspelt code of a refusal would be reported as a member that nobody knows.
  error: z.never().optional(),
  status: z.never().optional(),
  processorPolicy: reference('processor-policies').optional().meta({ description: 'The policy by which it is issued' }),
  idpConnection,
  accessTokenManager: reference('access-token-managers').optional().meta({ description: 'The access token manager that makes it' }),
  generatorGroup: reference('generator-groups').optional().meta({ description: 'The generator group that is chosen' }),
  tokenGenerator: reference('token-generators').optional().meta({ description: 'The token generator that makes it' }),
  issued_token_type: z.string().optional().meta({ description: 'What the answer calls the token' }),
  expires_in: z.int().min(0).optional().meta({ description: 'Seconds for which it is good' }),
  scope: z.string().optional().meta({ description: 'The scope that it has, in any order; "" for none' }),
  claims: token.optional().meta({ description: 'Claims of a JWT or reference token, each with its whole value' }),
  attributes: token.optional().meta({ description: "The attributes that are mapped to the target's contract, each with its whole value" }),
  absent: z.array(z.string()).optional().meta({ description: 'Claims, or attributes of an assertion, that it does not have' }),
  exactly: z.boolean().default(false).meta({
    description: 'Whether it has no others than those under "claims" or "attributes"; iat, nbf, exp and jti are not counted',
  }),
  act: token.nullable().optional().meta({ description: 'Who acts for the subject, as act of a JWT has it; null for nobody' }),
  wouldRefuse: z
    .array(z.enum(reasons()))
    .optional()
    .meta({ description: 'Reasons that are only recorded, because a setting says "mode": "audit"' }),
})

const refused = strict({
  error: z.enum(codes()).meta({ description: 'The code of the refusal; that of a WS-Trust message is the name of a fault' }),
  reason: reason.meta({ description: 'The reason, as the audit record has it' }),
  error_description: z.string().min(1).optional().meta({ description: 'A part of the description' }),
  setting: decidedBy,
}).superRefine(({ error, reason }, context) => {
  if (reason === undefined || codesOf(reason).includes(error)) return
  const right = isFault(error) ? faultNameOf(reason) : refusals[reason].error
  context.addIssue({ code: 'custom', path: ['reason'], message: `goes with the code "${right}"` })
})

const judged = strict({
  error: z.never().optional(),
  status: z.enum(['valid', 'invalid']).meta({ description: 'What Validate says of the token' }),
  idpConnection,
  reason: reason.meta({ description: 'Why it is not valid, as the audit record has it' }),
  setting: decidedBy,
})

/** What a case expects: a token, a refusal (`error`), or the status of a token (`status`). */
export const expectation = z
  .union([refused, judged, issued])
  .meta({ description: 'What is issued, how it is refused ("error"), or what Validate says ("status")' })

/** What a case expects, whichever it is. */
export type Expectation = z.output<typeof expectation>
/** What a case expects of the token. */
export type IssuedExpectation = z.output<typeof issued>
/** What a case expects of the refusal. */
export type RefusalExpectation = z.output<typeof refused>
/** What a case expects that `Validate` says. */
export type StatusExpectation = z.output<typeof judged>

/** What can never come of such a request: each has a member and says why. */
export function misplacedExpectations(expected: Expectation, isMessage: boolean): ReadonlyArray<{ member: string; text: string }> {
  const { error } = expected
  if (error !== undefined && isFault(error) !== isMessage) return [{ member: 'error', text: otherCode(error, isMessage) }]
  const alien = isMessage ? ['processorPolicy', 'accessTokenManager', 'generatorGroup', 'scope'] : ['status', 'idpConnection']
  const said = alien.filter(member => expected[member as keyof Expectation] !== undefined)
  return said.map(member => ({
    member,
    text: `nothing of the kind comes of ${isMessage ? 'a WS-Trust message' : 'a request to the token endpoint'}`,
  }))
}

function otherCode(error: string, isMessage: boolean): string {
  return isMessage
    ? `"${error}" is a code of the token endpoint; a WS-Trust message is refused by a fault, such as "wst:FailedAuthentication"`
    : `"${error}" is a fault of WS-Trust; the token endpoint refuses by a code, such as "invalid_request"`
}

function isFault(error: string): boolean {
  return error.includes(':')
}

function reasons(): [RefusalReason, ...RefusalReason[]] {
  return Object.keys(refusals) as [RefusalReason, ...RefusalReason[]]
}

function codesOf(reason: RefusalReason): readonly string[] {
  return [refusals[reason].error, faultNameOf(reason)]
}

function codes(): [string, ...string[]] {
  return [...new Set([...reasons().map(each => refusals[each].error), ...reasons().map(faultNameOf)])] as [string, ...string[]]
}
