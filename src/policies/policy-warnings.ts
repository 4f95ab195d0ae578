import { editDistance, nearestName } from '../config/suggest.ts'
import type { ExpressionSource } from '../config/values.ts'
import type { Parts } from '../plugin.ts'
import type { ProcessorMapping } from './processor-policy.ts'

/** Warns of what is legal in a policy and lets the wrong party in (docs/warnings.md). */
export function warnOfDangers(mappings: readonly ProcessorMapping[], scope: string | ExpressionSource, parts: Parts): void {
  if (scope === 'client') parts.warn('scope-from-client', ['scope'], 'a token may carry scopes that its subject never had')
  for (const [index, mapping] of mappings.entries()) {
    warnOfAmbiguousSubject(mapping, index, mappings, parts)
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
