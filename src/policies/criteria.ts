import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { enforcement, expression, strict } from '../config/values.ts'
import type { Witness } from '../exchange/witness.ts'
import type { Declarations } from '../expressions/compile.ts'
import type { Variables } from '../expressions/expression.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Parts } from '../plugin.ts'
import type { Criterion } from './processor-policy.ts'

/** Conditions that must all hold; the first that does not is the reason to refuse. */
export const criteriaSettings = z.array(
  strict({
    require: expression.meta({ description: 'A CEL expression that must be true' }),
    otherwise: z.string().min(1).meta({ description: 'What the client is told when it is not' }),
    mode: enforcement,
  }),
)

/** Compiles the conditions. */
export function buildCriteria(settings: z.output<typeof criteriaSettings>, declared: Declarations, parts: Parts, path: Path): Criterion[] {
  return settings.flatMap(({ require, otherwise, mode }, index) => {
    if (mode === 'audit') parts.warn('audit-mode', [...path, index, 'mode'], 'is recorded and not enforced: it refuses nothing')
    const compiled = parts.expression(require, [...path, index, 'require'], declared, { type: 'boolean' })
    return compiled === undefined ? [] : [{ require: compiled, otherwise, enforced: mode === 'enforce' }]
  })
}

/** Refuses at the first condition that is enforced and anything but true. What is not enforced is evaluated and told all the same. */
export function requireAll(criteria: readonly Criterion[], variables: Variables, witness: Witness): void {
  for (const criterion of criteria) {
    const refusal = refusalBy(criterion, variables)
    witness.decided(criterion, refusal)
    if (refusal === undefined) continue
    if (criterion.enforced) throw refusal
    witness.overlooked(refusal)
  }
}

function refusalBy({ require, otherwise }: Criterion, variables: Variables): OAuthError | undefined {
  try {
    if (require.evaluate(variables) === true) return undefined
    return new OAuthError('criterion-failed', otherwise, { setting: require.place })
  } catch (error) {
    if (error instanceof OAuthError) return error
    throw error
  }
}
