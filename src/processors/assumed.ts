import type { JsonObject, JsonValue } from '../json.ts'
import type { Instant } from '../outside.ts'
import type { TokenProcessor } from './processor.ts'

/** What a policy test says of a token that does not exist, and what such a token usually says beside it. */
export interface AssumedToken {
  /** In the words of the kind of token; null takes away what it usually says. */
  readonly says: JsonObject
  /** For whom it is: this server. */
  readonly audience: string
  readonly id: string
  readonly now: Instant
}

/** What a policy test says is nothing that such a token could say: a mistake of the test, and no refusal. */
export class AssumptionMistake extends Error {
  readonly path: readonly PropertyKey[]
  constructor(path: readonly PropertyKey[], message: string) {
    super(message)
    this.path = path
  }
}

const times = ['exp', 'nbf', 'iat', 'auth_time']
const usualSeconds = 3600

/** All claims of an assumed token: those of the test, and what it leaves open. */
export function assumedClaims(
  { says, audience, id, now }: AssumedToken,
  { issuers, limits }: Pick<TokenProcessor, 'issuers' | 'limits'>,
  required: readonly string[] = [],
): JsonObject {
  const [issuer] = issuers
  const seconds = Math.floor(now)
  const usual: JsonObject = {
    iss: issuer,
    aud: audience,
    iat: seconds,
    exp: seconds + Math.min(usualSeconds, limits.maxLifetime ?? usualSeconds),
    jti: id,
    ...(required.includes('nbf') && { nbf: seconds }),
  }
  const said = Object.entries(says).map(([name, value]) => [name, times.includes(name) ? assumedTime(name, value, now) : value] as const)
  const all = Object.entries({ ...usual, ...Object.fromEntries(said) })
  return Object.fromEntries(all.filter(([name, value]) => value !== null || !Object.hasOwn(usual, name)))
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** A time as a test writes it: `"-5m"` and `"+1h"` are counted from `now`, an instant such as `"2026-01-01T00:00:00Z"` and a number stand for themselves. */
export function assumedTime(name: string, value: JsonValue | undefined, now: Instant): JsonValue | undefined {
  if (typeof value !== 'string') return value
  const [, sign, count, unit = ''] = /^([+-])([0-9]{1,9})([smhd])$/.exec(value) ?? []
  if (sign !== undefined) return Math.floor(now) + Number(`${sign}${count}`) * (unitSeconds[unit] ?? Number.NaN)
  const instant = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) / 1000 : Number.NaN
  if (Number.isNaN(instant))
    throw new AssumptionMistake([name], 'expected a time: "-5m", "+1h", "2026-01-01T00:00:00Z" or seconds since 1970')
  return instant
}
