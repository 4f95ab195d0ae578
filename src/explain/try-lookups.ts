import { lookUp } from '../exchange/look-up.ts'
import type { Witness } from '../exchange/witness.ts'
import type { Variables } from '../expressions/expression.ts'
import { failureOf } from '../http/failure.ts'
import type { Lookup } from '../policies/lookup.ts'
import type { Server } from '../server.ts'
import { everything } from './disclosure.ts'
import type { ExplainedLookup } from './explanation.ts'
import { explainedLookup } from './lookup-facts.ts'

/** A mapping that has lookups, and where it stands. */
export interface MappingWithLookups {
  /** `processors[0]`, `issues[1]`, `attributes` or `generators[0]`. */
  readonly name: string
  readonly lookups: readonly Lookup[]
}

/** The mappings of a policy or an IdP connection that have lookups; undefined where there is neither. */
export function mappingsOf(
  server: Server,
  kind: 'processor-policies' | 'idp-connections',
  id: string,
): readonly MappingWithLookups[] | undefined {
  const connection = kind === 'idp-connections' ? server.connections.get(id) : undefined
  const policy = kind === 'processor-policies' ? server.policies.get(id) : undefined
  const all = connection ? [connection.mapping, ...connection.generators] : policy && [...policy.mappings, ...policy.issues.values()]
  return all?.filter(({ lookups }) => lookups.length > 0)
}

/** What lookups have asked and found, and why the last one refused. */
export interface TriedLookups {
  readonly made: readonly ExplainedLookup[]
  readonly refusal?: {
    readonly error: string
    readonly description: string
    readonly because: string
    readonly setting: string | undefined
  }
}

/** Makes lookups as an exchange would, with these variables. */
export async function tryLookups(lookups: readonly Lookup[], variables: Variables): Promise<TriedLookups> {
  const made: ExplainedLookup[] = []
  const witness: Pick<Witness, 'lookedUp'> = { lookedUp: (lookup, result) => void made.push(explainedLookup(lookup, result, everything)) }
  try {
    await lookUp(lookups, lookup => ({ ...variables, lookup }), witness)
    return { made }
  } catch (error) {
    const { body, internal, outcome } = failureOf(error, false)
    if (outcome === 'failed') throw error
    const why = internal.cause === undefined ? '' : `: ${internal.cause}`
    const because = internal.outage === undefined ? internal.reason : `${internal.outage}${why}`
    return { made, refusal: { error: body.error, description: body.error_description, because, setting: internal.setting } }
  }
}
