import { z } from 'zod'
import type { AccessToken } from '../access-tokens/access-token-manager.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Proof } from '../processors/processor.ts'
import { type Blame, brokenPromise } from './fault.ts'

// Later than that, milliseconds were taken for seconds.
const instant = z.number().min(0).max(253_402_300_799)
// A lone surrogate becomes U+FFFD wherever the text is written as UTF-8, so that two names would turn into one.
const name = z
  .string()
  .min(1)
  .refine(text => !/\p{Surrogate}/u.test(text), 'Invalid input: expected Unicode text')
const texts = z.array(z.string())
const json = z.record(z.string(), z.json().optional())

/** What a plug-in may state of a token. Ancestors and the client are known of tokens of this server only. */
const proof = z.strictObject({
  issuer: name,
  subject: name,
  subjectQualifier: z.string().optional(),
  audiences: texts,
  furtherAudiences: z.array(texts).optional(),
  expiresAt: instant.optional(),
  notBefore: instant.optional(),
  issuedAt: instant.optional(),
  id: name.optional(),
  scope: texts.optional(),
  confirmation: json.optional(),
  act: z.json().optional(),
  mayAct: z.json().optional(),
  oneTimeUse: z.boolean().optional(),
  authentication: z
    .strictObject({
      instant: instant.optional(),
      contextClass: z.string().optional(),
      methods: texts.optional(),
      sessionIndex: z.string().optional(),
    })
    .optional(),
  attributes: json,
})

const accessToken = z.strictObject({
  id: z.string().min(1),
  manager: z.string(),
  issuer: z.string(),
  subject: name,
  clientId: name,
  audiences: texts,
  scope: texts,
  issuedAt: instant,
  expiresAt: instant,
  ancestors: texts,
  // What is bound in a way that nobody understands would pass for what is not bound (RFC 7800 §3.1).
  claims: json.refine(({ cnf }) => cnf === undefined || isJsonObject(cnf), { path: ['cnf'], message: 'Invalid input: expected object' }),
})

const issued = z.strictObject({
  token: z.string().min(1),
  id: z.string().min(1),
  tokenType: z.enum(['Bearer', 'N_A']),
  expiresAt: instant,
  content: z.union([z.strictObject({ claims: json }), z.strictObject({ xml: z.string() })]),
})

/** What a generator of a plug-in gave back, if it is what it should be: a copy of it, which nobody can change any more. */
export function checkedIssue(blame: Blame, value: unknown) {
  return checked(blame, issued, value)
}

/** What a processor of a plug-in states, if it is a proof. */
export function checkedProof(blame: Blame, value: unknown): Proof {
  return checked(blame, proof, value) as Proof
}

/** What a manager of a plug-in read, if it is an access token. */
export function checkedAccessToken(blame: Blame, value: unknown): AccessToken {
  return checked(blame, accessToken, value) as AccessToken
}

/** What a data store of a plug-in found, if it is a list of rows. */
export function checkedRows(blame: Blame, value: unknown): readonly JsonObject[] {
  return checked(blame, z.object({ rows: z.array(json) }), { rows: value }).rows as readonly JsonObject[]
}

// Neither members that nobody knows pass nor any that are undefined: a misspelt "expiresAt" would be a token without end.
function checked<Value extends object>(blame: Blame, schema: z.ZodType<Value>, value: unknown): Value {
  const result = parsed(blame, schema, value)
  if (!result.success) throw brokenPromise(blame, result.error.issues.slice(0, 3).map(inWords).join('; '))
  return result.data
}

function parsed<Value>(blame: Blame, schema: z.ZodType<Value>, value: unknown): z.ZodSafeParseResult<Value> {
  try {
    const result = schema.safeParse(value)
    // What is nested in itself is no JSON, which the schema does not notice.
    return result.success ? { success: true, data: JSON.parse(JSON.stringify(result.data)) as Value } : result
  } catch {
    // That, or a getter that throws, or more brackets than the stack holds.
    throw brokenPromise(blame, 'it cannot be read')
  }
}

// The messages name types and members, and never a value.
function inWords({ path, message }: z.core.$ZodIssue): string {
  const [first, ...deeper] = path.map(String)
  return `${first === undefined ? '' : `${[first, ...deeper.map(() => '…')].join('.')}: `}${message}`
}
