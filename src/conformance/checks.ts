import type { Check } from './check.ts'
import { generatorChecks } from './generator-checks.ts'
import { managerChecks } from './manager-checks.ts'
import { processorChecks } from './processor-checks.ts'
import type { Samples } from './samples.ts'
import type { Stage } from './stage.ts'

/** The checks for everything that the samples name. */
export function checksOfStage(stage: Stage, samples: Samples): readonly Check[] {
  const { built } = stage
  const { tokenProcessors = {}, tokenGenerators = {}, accessTokenManagers = {} } = samples
  return [
    ...Object.entries(tokenProcessors).flatMap(([id, sample]) => processorChecks(found(built['token-processors'], id), sample, stage)),
    ...Object.entries(tokenGenerators).flatMap(([id, sample]) => generatorChecks(found(built['token-generators'], id), sample, stage)),
    ...Object.entries(accessTokenManagers).flatMap(([id, sample]) =>
      managerChecks(found(built['access-token-managers'], id), sample, stage),
    ),
  ]
}

function found<Value>(values: ReadonlyMap<string, Value>, id: string): Value {
  const value = values.get(id)
  if (value === undefined) throw new Error(`the samples have no file for "${id}"`)
  return value
}
