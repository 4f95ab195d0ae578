/** The checks that an author runs over plug-ins of his own; docs/guides/plug-ins.md shows how. */
import type { Check } from './conformance/check.ts'
import { checksOfStage } from './conformance/checks.ts'
import type { Samples } from './conformance/samples.ts'
import { stageOf } from './conformance/stage.ts'

export type { Check } from './conformance/check.ts'
export type { GeneratorSample, ManagerSample, ProcessorSample, Samples, SampleToken } from './conformance/samples.ts'

/**
 * Builds the files of the samples with the plug-ins that `module` exports (`import * as module from '../src/index.js'`), as the server
 * would, and returns the checks for each of them: run them with whatever runs your tests. Rejects when the files have problems.
 * Without a module, the files are of the kinds that cambist has itself.
 */
export async function conformanceChecks(module: object | undefined, samples: Samples): Promise<readonly Check[]> {
  return checksOfStage(await stageOf(module, samples), samples)
}
