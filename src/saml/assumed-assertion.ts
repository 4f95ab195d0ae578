import { z } from 'zod'
import { strict } from '../config/values.ts'
import { problemsOf } from '../config/zod-problems.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { Instant } from '../outside.ts'
import { type AssumedToken, AssumptionMistake, assumedTime } from '../processors/assumed.ts'
import type { Authentication, ProcessorLimits, Proof } from '../processors/processor.ts'
import { type AssertionFacts, expiry, proofOf, requirePast } from './assertion.ts'
import { type AttributeValues, shapeAttributes } from './attribute-values.ts'
import { saml2Version } from './versions.ts'

const word = z.string().min(1)
const time = z.union([word, z.number()]).nullable().optional()
const words = z.array(word)
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])

const both = {
  issuer: word.optional(),
  id: word.optional(),
  issueInstant: time,
  notBefore: time,
  notOnOrAfter: time,
  audiences: words.optional(),
  oneTimeUse: z.boolean().default(false),
  authnInstant: time,
  authnContext: word.optional(),
  attributes: z.record(z.string(), z.union([scalar, z.array(scalar)])).default({}),
}

const nameId = { value: word, format: word.optional(), nameQualifier: word.optional() }

/** What a policy test may say of an assertion, in the words of expressions and of SAML itself. */
const assertion2 = strict({
  ...both,
  nameId: strict({ ...nameId, spNameQualifier: word.optional() }),
  sessionIndex: word.optional(),
  sessionNotOnOrAfter: time,
  proxyRestriction: strict({ count: z.int().min(0).optional(), audiences: words.default([]) }).optional(),
  act: z.record(z.string(), z.json()).optional(),
})
const assertion11 = strict({ ...both, nameId: strict(nameId) })
type Said = z.output<typeof assertion2>

/** The processor for which an assertion is assumed. */
interface AssumingRules {
  readonly version: { readonly name: string }
  readonly limits: ProcessorLimits
  readonly issuers: readonly string[]
  readonly claims: JsonObject | undefined
}

/** What an assertion proves that says what a policy test says. Its attributes are shaped as those of a real one, which has texts only. */
export function assumeAssertion({ says, audience, id, now }: AssumedToken, rules: AssumingRules): Proof {
  const said = parse(says, rules.version.name === saml2Version.name ? assertion2 : assertion11)
  const at = (name: keyof Said, usual?: Instant) => (said[name] === undefined ? usual : timeOf(name, said[name] as JsonValue, now))
  const lifetime = Math.min(rules.limits.maxLifetime ?? usualSeconds, usualSeconds)
  const notOnOrAfter = at('notOnOrAfter', Math.floor(now) + lifetime)
  const issuedAt = at('issueInstant', Math.floor(now))
  const proof = proofOf({
    issuer: said.issuer ?? rules.issuers[0] ?? '',
    nameId: present(said.nameId) as AssertionFacts['nameId'],
    conditions: {
      notBefore: at('notBefore'),
      notOnOrAfter,
      audiences: audiencesOf(said, audience),
      oneTimeUse: said.oneTimeUse,
      proxyRestriction: said.proxyRestriction && (present(said.proxyRestriction) as unknown as Proof['proxyRestriction']),
      act: said.act as JsonObject | undefined,
    },
    authentication: authenticationOf(said, at('authnInstant'), now + rules.limits.clockSkew),
    attributes: shapeAttributes(textsOf(said.attributes), rules.claims),
  })
  return {
    ...proof,
    ...(issuedAt !== undefined && { issuedAt }),
    id: said.id ?? `_${id}`,
    ...expiry([notOnOrAfter, at('sessionNotOnOrAfter')]),
  }
}

const usualSeconds = 3600

function parse(says: JsonObject, schema: z.ZodType): Said {
  const parsed = schema.safeParse(says)
  if (parsed.success) return parsed.data as Said
  const [first] = problemsOf(parsed.error, says)
  throw new AssumptionMistake(first?.path ?? [], first?.message ?? 'no assertion says this')
}

function timeOf(name: string, value: JsonValue, now: Instant): Instant | undefined {
  const time = assumedTime(name, value, now)
  return typeof time === 'number' ? time : undefined
}

// An empty list names nobody: the assertion has no AudienceRestriction.
function audiencesOf({ audiences }: Said, usual: string): ReadonlyArray<readonly string[]> {
  if (audiences === undefined) return [[usual]]
  return audiences.length === 0 ? [] : [audiences]
}

function authenticationOf({ authnContext, sessionIndex }: Said, instant: Instant | undefined, latest: Instant): Authentication | undefined {
  if (instant === undefined) {
    if (authnContext === undefined && sessionIndex === undefined) return undefined
    throw new AssumptionMistake(['authnInstant'], 'is missing: an assertion tells how its subject authenticated together with when')
  }
  requirePast(instant, latest)
  return present({ instant, contextClass: authnContext, sessionIndex }) as unknown as Authentication
}

function textsOf(attributes: Said['attributes']): ReadonlyMap<string, AttributeValues> {
  const text = (value: JsonValue) => (value === null ? null : String(value))
  return new Map(Object.entries(attributes).map(([name, value]) => [name, (Array.isArray(value) ? value : [value]).map(text)]))
}

function present(members: object): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
