import { z } from 'zod'
import { everyFile, reference, strict } from '../config/values.ts'
import { tokenExchangeGrant } from '../oauth/token-types.ts'
import type { Blueprint } from '../plugin.ts'
import { expectation, misplacedExpectations } from './expectation.ts'

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

const message = strict({
  connection: reference('idp-connections')
    .nullable()
    .optional()
    .meta({ description: "The IdP connection that the path names; absent: that of the token's issuer" }),
  virtualServerId: parameter.meta({ description: 'The virtual server that the path names; absent: the first of the connection' }),
  RequestType: z.enum(['Issue', 'Validate']).nullable().optional().meta({ description: 'What is asked for; absent: Issue' }),
  TokenType: parameter.meta({ description: 'Which type of token is wanted; Validate without it asks for the status only' }),
  AppliesTo: parameter.meta({ description: 'The address of the service that the token is for' }),
  ActAs: z.boolean().nullable().optional().meta({
    description:
      'Whether somebody acts for the subject: the actor or, where there is none, the client (absent: only where there is an actor)',
  }),
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
  message: message.optional().meta({ description: 'A WS-Trust message instead of a request; null takes a default away' }),
  subject: token
    .optional()
    .meta({ description: 'What the subject token says: claims, or the parts of an assertion. No signature is needed' }),
  lookups: z.record(z.string(), found).optional().meta({ description: 'What lookups find, by their names; only tables are asked' }),
  actor: token.nullable().optional().meta({ description: 'What the actor token says, where there is one' }),
}

const policyCase = strict({
  name: z.string().min(1).meta({ description: 'What the case shows, in your own words' }),
  ...circumstances,
  expect: expectation,
})
type Asked = Pick<z.output<typeof policyCase>, 'request' | 'message'>

const settings = strict({
  ...everyFile,
  defaults: strict(circumstances).prefault({}).meta({ description: 'What holds for every case that does not say otherwise' }),
  cases: z.array(policyCase).min(1).meta({ description: 'Each is one request, on its own' }),
}).superRefine(({ cases, defaults }, context) => {
  const names = new Set<string>()
  for (const [index, each] of cases.entries()) {
    const { name, client, subject } = each
    const report = (path: PropertyKey[], text: string) =>
      context.addIssue({ code: 'custom', path: ['cases', index, ...path], message: text })
    const missing = (member: string) => report([], `"${member}" is missing`)
    if ((client ?? defaults.client) === undefined) missing('client')
    if ((subject ?? defaults.subject) === undefined) missing('subject')
    if (names.has(name)) report(['name'], 'another case has this name')
    names.add(name)
    if (each.request !== undefined && each.message !== undefined)
      report(['message'], 'a case has a request or a WS-Trust message, not both')
    if (each.request === undefined && each.message === undefined && defaults.request !== undefined && defaults.message !== undefined)
      report([], 'the defaults have a request and a message: say which is meant, by "request": {} or "message": {}')
    for (const { member, text } of misplacedExpectations(each.expect, isMessage(each, defaults))) report(['expect', member], text)
  }
})

/** Whether a case is a WS-Trust message: it says so itself, or the defaults do and it says nothing. */
export function isMessage({ request, message }: Asked, defaults: Asked): boolean {
  return message !== undefined || (request === undefined && defaults.message !== undefined && defaults.request === undefined)
}

/** `policies/tests/<name>.json`, parsed. */
export type TestSettings = z.output<typeof settings>

/** `policies/tests/<name>.json`: what an administrator expects of the policies. Nothing is built of it. */
export const policyTestFile: z.ZodType<Blueprint<TestSettings>> = settings.transform(parsed => ({
  type: 'policy-test',
  settings: parsed,
  build: () => parsed,
}))
