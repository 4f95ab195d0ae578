import { z } from 'zod'
import { everyFile, reference, strict } from '../config/values.ts'
import { type RefusalReason, refusals } from '../oauth/errors.ts'
import { tokenExchangeGrant } from '../oauth/token-types.ts'
import type { Blueprint } from '../plugin.ts'

const parameter = z.string().nullable().optional()
const repeatable = z
  .union([z.string(), z.array(z.string())])
  .nullable()
  .optional()

const request = strict({
  grant_type: parameter.meta({ description: `Absent: ${tokenExchangeGrant}` }),
  subject_token_type: parameter.meta({ description: 'What the subject token is' }),
  actor_token_type: parameter.meta({ description: 'What the actor token is, where there is one' }),
  requested_token_type: parameter.meta({ description: 'Which type of token is wanted' }),
  resource: repeatable.meta({ description: 'For which resource, or a list of several' }),
  audience: repeatable.meta({ description: 'For which logical name, or a list of several' }),
  scope: parameter.meta({ description: 'Which scope is wanted, separated by spaces' }),
})

const token = z.record(z.string(), z.json())

const found = z
  .union([token, z.array(token), z.null()], 'expected an object with the attributes that are found, a list of several, or null for nothing')
  .meta({ description: 'What it finds: attributes by name, a list of several entries, or null for nothing' })

/** What stands in a case, and in the defaults of all cases. */
const circumstances = {
  client: reference('clients').optional().meta({ description: 'The client that asks. It needs not prove who it is' }),
  clientIp: z.string().min(1).optional().meta({ description: 'Where the request comes from (absent: "127.0.0.1")' }),
  now: z.iso
    .datetime({ offset: true, error: 'expected an instant such as "2026-12-31T00:00:00Z"' })
    .optional()
    .meta({ description: 'What the clock says; absent: the time of day' }),
  request: request.optional().meta({ description: 'The parameters of the request; null takes a default away' }),
  subject: token
    .optional()
    .meta({ description: 'What the subject token says: claims, or the parts of an assertion. No signature is needed' }),
  lookups: z.record(z.string(), found).optional().meta({ description: 'What lookups find, by their names; only tables are asked' }),
  actor: token.nullable().optional().meta({ description: 'What the actor token says, where there is one' }),
}

const issued = strict({
  // Without it, a misspelt code of a refusal would be reported as a member that nobody knows.
  error: z.never().optional(),
  processorPolicy: reference('processor-policies').optional().meta({ description: 'The policy by which it is issued' }),
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
  error: z.enum(codes()).meta({ description: 'The code of the refusal' }),
  reason: z.enum(reasons()).optional().meta({ description: 'The reason, as the audit record has it' }),
  error_description: z.string().min(1).optional().meta({ description: 'A part of the description' }),
  setting: z.string().min(1).optional().meta({ description: 'A part of what the record calls the setting: "clients/orders.json scopes"' }),
}).superRefine(({ error, reason }, context) => {
  if (reason !== undefined && refusals[reason].error !== error)
    context.addIssue({ code: 'custom', path: ['reason'], message: `goes with the code "${refusals[reason].error}"` })
})

const policyCase = strict({
  name: z.string().min(1).meta({ description: 'What the case shows, in your own words' }),
  ...circumstances,
  expect: z.union([refused, issued]).meta({ description: 'What is issued, or how it is refused ("error")' }),
})

const settings = strict({
  ...everyFile,
  defaults: strict(circumstances).prefault({}).meta({ description: 'What holds for every case that does not say otherwise' }),
  cases: z.array(policyCase).min(1).meta({ description: 'Each is one request, on its own' }),
}).superRefine(({ cases, defaults }, context) => {
  const names = new Set<string>()
  for (const [index, { name, client, subject }] of cases.entries()) {
    const missing = (member: string) => context.addIssue({ code: 'custom', path: ['cases', index], message: `"${member}" is missing` })
    if ((client ?? defaults.client) === undefined) missing('client')
    if ((subject ?? defaults.subject) === undefined) missing('subject')
    if (names.has(name)) context.addIssue({ code: 'custom', path: ['cases', index, 'name'], message: 'another case has this name' })
    names.add(name)
  }
})

/** `policies/tests/<name>.json`, parsed. */
export type TestSettings = z.output<typeof settings>
/** What a case expects of the token. */
export type IssuedExpectation = z.output<typeof issued>
/** What a case expects of the refusal. */
export type RefusalExpectation = z.output<typeof refused>

/** `policies/tests/<name>.json`: what an administrator expects of the policies. Nothing is built of it. */
export const policyTestFile: z.ZodType<Blueprint<TestSettings>> = settings.transform(parsed => ({
  type: 'policy-test',
  settings: parsed,
  build: () => parsed,
}))

function reasons(): [RefusalReason, ...RefusalReason[]] {
  return Object.keys(refusals) as [RefusalReason, ...RefusalReason[]]
}

type Code = (typeof refusals)[RefusalReason]['error']

function codes(): [Code, ...Code[]] {
  return [...new Set(Object.values(refusals).map(({ error }) => error))] as [Code, ...Code[]]
}
