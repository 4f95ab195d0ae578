import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { didYouMean } from '../config/suggest.ts'
import { expression } from '../config/values.ts'
import type { Declarations } from '../expressions/compile.ts'
import type { Expression, Variables } from '../expressions/expression.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Parts } from '../plugin.ts'
import type { Contract, Fulfilment } from './processor-policy.ts'

/** An expression for each attribute of the contract. */
export const fulfilmentSettings = z
  .record(z.string(), expression)
  .meta({ description: 'For each attribute of the contract, the CEL expression that gives its value' })

/** Compiles the expressions and checks that they fulfil the contract: all of its attributes and no others. `whose` names it in messages. */
export function buildFulfilment(
  settings: z.output<typeof fulfilmentSettings>,
  target: { readonly contract: Contract; readonly whose: string },
  declared: Declarations,
  parts: Parts,
  path: Path,
): Fulfilment {
  const { contract, whose } = target
  const promised = Object.keys(contract.attributes)
  for (const name of promised) {
    if (!Object.hasOwn(settings, name)) parts.problem(path, `${whose} has the attribute "${name}", which nothing here fulfils`)
  }
  const expressions: Array<readonly [string, Expression]> = []
  for (const [name, source] of Object.entries(settings)) {
    const schema = Object.hasOwn(contract.attributes, name) ? contract.attributes[name] : undefined
    if (schema === undefined) {
      parts.problem([...path, name], `${whose} has no attribute "${name}"${didYouMean(name, promised)}`)
      continue
    }
    const compiled = parts.expression(source, [...path, name], declared, schema)
    if (compiled !== undefined) expressions.push([name, compiled])
  }
  return { contract, expressions }
}

/** Computes the attributes and validates them against the whole contract. `null` leaves an attribute out. */
export function fulfil({ contract, expressions }: Fulfilment, variables: Variables): JsonObject {
  const attributes: Record<string, JsonValue> = {}
  for (const [name, expression] of expressions) {
    const value = expression.evaluate(variables)
    if (value !== null) attributes[name] = value
  }
  const problem = contract.problem(attributes)
  if (problem !== undefined) throw new OAuthError('contract-not-met', `the attributes do not meet the contract: ${problem}`)
  return attributes
}
