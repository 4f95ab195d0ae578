import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { expression, strict } from '../config/values.ts'
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
  }),
)

/** Compiles the conditions. */
export function buildCriteria(settings: z.output<typeof criteriaSettings>, declared: Declarations, parts: Parts, path: Path): Criterion[] {
  return settings.flatMap(({ require, otherwise }, index) => {
    const compiled = parts.expression(require, [...path, index, 'require'], declared, { type: 'boolean' })
    return compiled === undefined ? [] : [{ require: compiled, otherwise }]
  })
}

/** Refuses at the first condition that is anything but true. */
export function requireAll(criteria: readonly Criterion[], variables: Variables): void {
  for (const { require, otherwise } of criteria) {
    if (require.evaluate(variables) !== true) throw new OAuthError('criterion-failed', otherwise)
  }
}
