import type { Path } from '../config/problems.ts'
import { editDistance, nearestName } from '../config/suggest.ts'
import type { ExpressionSource } from '../config/values.ts'
import type { JsonObject } from '../json.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { Parts } from '../plugin.ts'
import { contractSchema } from './contract.ts'
import { warnOfCrossing } from './crossed-attributes.ts'
import type { Criterion, Fulfilment, ProcessorMapping, ProcessorPolicy } from './processor-policy.ts'

/** Warns of what is legal in a policy and lets the wrong party in (docs/warnings.md). */
export function warnOfDangers(policy: Omit<ProcessorPolicy, 'id'>, scope: string | ExpressionSource, parts: Parts): void {
  const { mappings } = policy
  warnOfScope(scope, mappings, parts)
  warnOfConstantCriteria(policy, parts)
  warnOfIssues(policy, parts)
  for (const [index, mapping] of mappings.entries()) {
    warnOfAmbiguousSubject(mapping, index, mappings, parts)
    warnOfLiteral('subject', mapping.fulfilment, ['processors', index], parts)
    warnOfCrossing(mapping.fulfilment, mapping.subjectProcessor.attributes, ['processors', index], parts)
    warnOfImpersonation(mapping, index, policy, parts)
    const twin = mappings.slice(0, index).find(other => other.subjectProcessor === mapping.subjectProcessor && differ(other, mapping))
    if (twin !== undefined) {
      parts.warn(
        'mappings-differ',
        ['processors', index],
        `has other criteria or another expression of "subject" than ${twin.name}, which takes the same tokens`,
      )
    }
  }
}

/** Warns of types that are nearly those of RFC 8693 §3: types are compared exactly, so that such a mapping is hardly ever reached. */
export function warnOfTokenTypes(
  mappings: ReadonlyArray<{ readonly subjectTokenType: string; readonly actorTokenType?: string | undefined }>,
  parts: Parts,
): void {
  for (const [index, mapping] of mappings.entries()) {
    for (const member of ['subjectTokenType', 'actorTokenType'] as const) {
      const known = nearMiss(mapping[member])
      if (known !== undefined) parts.warn('token-type-near-miss', ['processors', index, member], `is nearly, but not exactly, "${known}"`)
      if (mapping[member] === tokenTypes.refreshToken)
        parts.warn(
          'refresh-token-taken',
          ['processors', index, member],
          'refresh tokens are for their authorization server only; nobody else should have one to exchange',
        )
    }
  }
}

const prefix = 'urn:ietf:params:oauth:token-type'
const wellKnown = ['access_token', 'refresh_token', 'id_token', 'saml1', 'saml2', 'jwt', 'id-jag', 'txn_token']

/** The type that was probably meant. Other vendors' types, and types that add something to these, are none of our business. */
export function nearMiss(tokenType = ''): string | undefined {
  if (wellKnown.some(known => tokenType === `${prefix}:${known}`)) return undefined
  const colon = tokenType.lastIndexOf(':')
  const name = tokenType.slice(colon + 1)
  const misspeltPrefix = editDistance(tokenType.slice(0, colon), prefix)
  const meant = wellKnown.includes(name) ? name : nearestName(name, wellKnown)
  if (meant === undefined || misspeltPrefix > 5) return undefined
  return `${prefix}:${meant}`
}

function warnOfScope(scope: string | ExpressionSource, mappings: readonly ProcessorMapping[], parts: Parts): void {
  const message = 'a token may carry scopes that its subject never had'
  if (scope === 'client') parts.warn('scope-from-client', ['scope'], message)
  const [rule] = mappings.map(mapping => mapping.scope)
  if (rule?.from !== 'expression') return
  const { reads } = rule.expression
  // What was asked for, and nothing that was proved.
  if (reads.has('context') && !['subject', 'actor', 'policy'].some(name => reads.has(name)))
    parts.warn('scope-from-client', ['scope'], message)
}

function warnOfConstantCriteria({ mappings, criteria, issues }: Omit<ProcessorPolicy, 'id'>, parts: Parts): void {
  const lists: Array<readonly [Path, readonly Criterion[]]> = [
    ...mappings.map((mapping, index) => [['processors', index, 'criteria'], mapping.criteria] as const),
    [['criteria'], criteria],
    ...[...issues.values()].map((issue, index) => [['issues', index, 'criteria'], issue.criteria] as const),
  ]
  for (const [path, list] of lists) {
    for (const [index, { require }] of list.entries()) {
      if (require.reads.size === 0)
        parts.warn('constant-criterion', [...path, index, 'require'], 'reads nothing, so that it decides the same always')
    }
  }
}

function warnOfIssues({ contract, issues }: Omit<ProcessorPolicy, 'id'>, parts: Parts): void {
  for (const [index, { fulfilment }] of [...issues.values()].entries()) {
    const path = ['issues', index]
    for (const name of ['sub', 'SAML_SUBJECT']) warnOfLiteral(name, fulfilment, path, parts)
    warnOfCrossing(fulfilment, contractSchema(contract.attributes), path, parts)
  }
}

function warnOfLiteral(name: string, { expressions }: Fulfilment, path: Path, parts: Parts): void {
  const expression = expressions.find(([attribute]) => attribute === name)?.[1]
  if (expression?.reads.size === 0)
    parts.warn('literal-subject', [...path, 'attributes', name], 'reads nothing, so that everybody becomes the same subject')
}

/**
 * RFC 8693 §1.1: without an actor the client gets a token that is the subject's own. Where neither the token (`may_act`) nor a condition has a
 * say, whoever gets hold of a token of this kind can do that. Own tokens came about by an exchange that had its conditions.
 */
function warnOfImpersonation(
  mapping: ProcessorMapping,
  index: number,
  { criteria, issues }: Omit<ProcessorPolicy, 'id'>,
  parts: Parts,
): void {
  const { actor, subjectProcessor } = mapping
  if (actor !== undefined || subjectProcessor.origin === 'own' || mapping.criteria.length + criteria.length > 0) return
  if ([...issues.values()].every(issue => issue.criteria.length > 0) || isRestricted(subjectProcessor.attributes)) return
  const message = 'whoever has such a token becomes its subject: no criteria restrict that, and the claims need no may_act'
  parts.warn('unrestricted-impersonation', ['processors', index], message)
}

/** Whether the processor requires `may_act`, or claims of certain values. */
function isRestricted(attributes: JsonObject | undefined): boolean {
  if (attributes === undefined) return false
  if (Array.isArray(attributes.required) && attributes.required.includes('may_act')) return true
  return /"(const|enum|pattern)":/.test(JSON.stringify(attributes))
}

// The same `sub` of two issuers is two people.
function warnOfAmbiguousSubject(mapping: ProcessorMapping, index: number, mappings: readonly ProcessorMapping[], parts: Parts): void {
  const source = subjectSource(mapping)
  if (/\biss\b|issuer/.test(source)) return
  // The subjects of our own tokens were named by an earlier exchange, by the same rules.
  const sameExpression = mappings.filter(other => other.subjectProcessor.origin === 'foreign' && subjectSource(other) === source)
  const issuers = new Set(sameExpression.flatMap(other => other.subjectProcessor.issuers))
  if (issuers.size > 1 && sameExpression[0] === mapping) {
    const path = ['processors', index, 'attributes', 'subject']
    parts.warn(
      'issuers-without-iss',
      path,
      `subjects of ${issuers.size} issuers are mapped without their issuer, so that two of one name become one`,
    )
  }
}

function differ(left: ProcessorMapping, right: ProcessorMapping): boolean {
  const criteria = (mapping: ProcessorMapping) => JSON.stringify(mapping.criteria.map(criterion => criterion.require.source))
  return subjectSource(left) !== subjectSource(right) || criteria(left) !== criteria(right)
}

function subjectSource(mapping: ProcessorMapping): string {
  return mapping.fulfilment.expressions.find(([name]) => name === 'subject')?.[1].source ?? ''
}
