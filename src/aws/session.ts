import type { Path } from '../config/problems.ts'
import { nearestName } from '../config/suggest.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { Parts } from '../plugin.ts'
import { roleSchema } from './arn.ts'

/** What may be said of a session of a role, in the words of AWS (AW-12); contracts of generators for AWS have these names. */
export const sessionWords = {
  role: 'Role',
  sessionName: 'RoleSessionName',
  sessionDuration: 'SessionDuration',
  sourceIdentity: 'SourceIdentity',
  transitiveTags: 'TransitiveTagKeys',
  policy: 'Policy',
  policyArns: 'PolicyArns',
} as const

/** One tag of a session is `PrincipalTag:` and its key. */
export const tagPrefix = 'PrincipalTag:'

const mostTags = 50
const tagCharacters = '[\\p{L}\\p{Z}\\p{N}_.:/=+@-]'
const name = { type: 'string', pattern: '^[A-Za-z0-9_+=,.@-]{2,64}$' }
const tagValue = { type: 'string', maxLength: 256, pattern: `^${tagCharacters}*$` }
const tagKey = { type: 'string', maxLength: 128, pattern: `^${tagCharacters}+$` }
const managedPolicy = {
  type: 'string',
  minLength: 20,
  maxLength: 2048,
  pattern: '^arn:(aws|aws-us-gov|aws-cn):iam::([0-9]{12}|aws):policy/',
}

/** What AWS demands of each attribute (AW-2, AW-12), as JSON Schemas. */
const demands: Readonly<Record<string, JsonObject>> = {
  [sessionWords.role]: roleSchema,
  [sessionWords.sessionName]: name,
  [sessionWords.sessionDuration]: { type: 'integer', minimum: 900, maximum: 43_200 },
  [sessionWords.sourceIdentity]: name,
  [sessionWords.transitiveTags]: { type: 'array', items: tagKey, maxItems: mostTags, uniqueItems: true },
  [sessionWords.policy]: { type: 'string', minLength: 1, maxLength: 2048, pattern: '^[\\t\\n\\r\\x20-\\x{ff}]+$' },
  [sessionWords.policyArns]: { type: 'array', items: managedPolicy, maxItems: 10, uniqueItems: true },
}

/** The attributes of a contract, each with the schema that its file gives it. */
export type SessionAttributes = Readonly<Record<string, JsonObject>>

/**
 * A contract with what AWS demands of each attribute added to what its file says, so that a mapped value is refused here and not there.
 * Reports names that AWS does not have, and those that this generator has no use for.
 */
export function demandedOf(contract: SessionAttributes, possible: readonly string[], parts: Parts, path: Path): SessionAttributes {
  reportTags(Object.keys(contract).filter(isTag), possible, parts, path)
  return Object.fromEntries(
    Object.entries(contract).flatMap(([key, schema]) => {
      const demand = isTag(key) ? tagValue : demands[key]
      if (demand === undefined || (!isTag(key) && !possible.includes(key))) {
        const meant = nearestName(key, possible)
        const hint = meant === undefined ? `; it may have ${listed(possible)}` : `; did you mean "${meant}"?`
        parts.problem([...path, key], `AWS is told of no "${key}" here${hint}`)
        return []
      }
      return [[key, joined(key, schema, demand, parts, path)] as const]
    }),
  )
}

/** The keys of the tags that a contract has. */
export function tagKeysOf(contract: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(contract)
    .filter(isTag)
    .map(key => key.slice(tagPrefix.length))
}

function isTag(key: string): boolean {
  return key.startsWith(tagPrefix)
}

function listed(names: readonly string[]): string {
  return names.map(each => `"${each}"`).join(', ')
}

// The type stands in front, where expressions are checked against it; everything else is met by both.
function joined(key: string, schema: JsonObject, demand: JsonObject, parts: Parts, path: Path): JsonObject {
  const { type = demand.type, allOf = [], ...more } = schema
  const types = Array.isArray(type) ? type : [type]
  const others = types.filter(each => each !== demand.type && each !== 'null')
  if (others.length > 0 || !types.includes(demand.type as JsonValue))
    parts.problem([...path, key, 'type'], `AWS takes "${String(demand.type)}" only; [ "${String(demand.type)}", "null" ] may be left out`)
  const { type: _type, ...demanded } = demand
  return { type, ...more, allOf: [demanded, ...(Array.isArray(allOf) ? allOf : [])] }
}

function reportTags(tags: readonly string[], possible: readonly string[], parts: Parts, path: Path): void {
  const keys = tags.map(tag => tag.slice(tagPrefix.length))
  if (tags.length > 0 && !possible.includes(tagPrefix)) parts.problem([...path, tags[0] ?? ''], 'tags are said in the token itself')
  if (tags.length > mostTags) parts.problem(path, `a session has at most ${mostTags} tags`)
  for (const [index, key] of keys.entries()) {
    const problem = keyProblem(key, keys.slice(0, index))
    if (problem !== undefined) parts.problem([...path, tags[index] ?? ''], problem)
  }
}

function keyProblem(key: string, earlier: readonly string[]): string | undefined {
  if (key.length > 128 || !/^[\p{L}\p{Z}\p{N}_.:/=+@-]+$/u.test(key))
    return 'a key of a tag has 1 to 128 letters, digits, blanks and _.:/=+-@'
  if (/^aws:/i.test(key)) return 'keys that begin with "aws:" are kept by AWS for itself'
  // AWS keeps the case of a key, and tells no two keys apart by it.
  const twin = earlier.find(other => other.toLowerCase() === key.toLowerCase())
  return twin === undefined ? undefined : `differs from "${twin}" by upper and lower case only, which is the same key at AWS`
}

/** What is wrong with tags that are to go along when the session takes another role: each has to be one of the session. */
export function transitiveProblem(keys: readonly string[], attributes: JsonObject): string | undefined {
  const missing = keys.find(key => (attributes[tagPrefix + key] ?? null) === null)
  return missing === undefined ? undefined : `${sessionWords.transitiveTags} has the key of a tag that the session does not have`
}
