import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { nearestName } from '../config/suggest.ts'
import { expression } from '../config/values.ts'
import type { Witness } from '../exchange/witness.ts'
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

type Settings = z.output<typeof fulfilmentSettings>

/** Compiles the expressions and checks that they fulfil the contract: all of its attributes and no others. `whose` names it in messages. */
export function buildFulfilment(
  settings: Settings,
  { contract, whose }: { readonly contract: Contract; readonly whose: string },
  declared: Declarations,
  parts: Parts,
  path: Path,
): Fulfilment {
  const promised = Object.keys(contract.attributes)
  const misspelt = new Set<string | undefined>()
  const expressions: Array<readonly [string, Expression]> = []
  for (const [name, source] of Object.entries(settings)) {
    const schema = Object.hasOwn(contract.attributes, name) ? contract.attributes[name] : undefined
    if (schema === undefined) {
      const meant = nearestName(
        name,
        promised.filter(attribute => !Object.hasOwn(settings, attribute)),
      )
      misspelt.add(meant)
      parts.problem([...path, name], `${whose} has no attribute "${name}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`)
      continue
    }
    const compiled = parts.expression(source, [...path, name], declared, schema)
    if (compiled === undefined) continue
    expressions.push([name, compiled])
    if (compiled.reads.size === 0) reportConstant(compiled, name, schema, parts, [...path, name])
  }
  for (const name of promised) {
    if (!Object.hasOwn(settings, name) && !misspelt.has(name))
      parts.problem(path, `${whose} has the attribute "${name}", which nothing here fulfils`)
  }
  return { contract, setting: parts.settingAt(path), expressions }
}

// What is the same for everybody can be refused before anybody asks.
function reportConstant(constant: Expression, name: string, schema: JsonObject, parts: Parts, path: Path): void {
  const problem = problemOf(constant, value => (value === null ? undefined : parts.jsonSchema(schema, path).problem(value, name)))
  if (problem !== undefined) parts.problem(path, `never meets the contract: ${problem}`)
}

function problemOf(constant: Expression, judge: (value: JsonValue) => string | undefined): string | undefined {
  try {
    return judge(constant.evaluate({}))
  } catch (error) {
    if (error instanceof OAuthError) return error.message
    throw error
  }
}

/** Checks expressions for a contract that is not known, because its file has problems. */
export function checkFulfilment(settings: Settings, declared: Declarations, parts: Parts, path: Path): void {
  for (const [name, source] of Object.entries(settings)) parts.expression(source, [...path, name], declared, {})
}

/** Computes the attributes and validates them against the whole contract. `null` leaves an attribute out. */
export function fulfil({ contract, setting, expressions }: Fulfilment, variables: Variables, witness: Witness): JsonObject {
  const attributes: Record<string, JsonValue> = {}
  for (const [name, expression] of expressions) {
    const value = expression.evaluate(variables)
    witness.evaluated(name, expression, value)
    if (value !== null) attributes[name] = value
  }
  const problem = contract.problem(attributes)
  if (problem === undefined) return attributes
  throw new OAuthError('contract-not-met', `the attributes do not meet the contract: ${problem.message}`, {
    setting: `${setting}.${problem.attribute}`,
  })
}
