import type { Server } from '../server.ts'
import type { PolicyCase } from './cases.ts'
import { compare, type Difference, type PlaceOfSetting } from './compare.ts'
import type { TestFile } from './load-tests.ts'
import { play } from './play.ts'

/** A case that was played. */
export interface CaseResult extends Pick<PolicyCase, 'name' | 'place'> {
  /** Empty when it came out as expected. */
  readonly differences: readonly Difference[]
  readonly milliseconds: number
}

/** The cases of a file that were played. */
export interface FileResult {
  readonly file: string
  readonly cases: readonly CaseResult[]
}

/** Plays every case, one after the other: they are independent, and a run that fails looks the same every time. */
export async function runTests(files: readonly TestFile[], server: Server, placeOf: PlaceOfSetting): Promise<readonly FileResult[]> {
  const results: FileResult[] = []
  for (const { file, cases } of files) {
    const played: CaseResult[] = []
    for (const each of cases) played.push(await runCase(each, server, placeOf))
    results.push({ file, cases: played })
  }
  return results
}

async function runCase(policyCase: PolicyCase, server: Server, placeOf: PlaceOfSetting): Promise<CaseResult> {
  const started = performance.now()
  const outcome = await play(policyCase, server)
  const milliseconds = performance.now() - started
  return { name: policyCase.name, place: policyCase.place, differences: compare(policyCase, outcome, placeOf), milliseconds }
}

/** How many cases there are, and how many of them failed. */
export function countOf(results: readonly FileResult[]): {
  readonly cases: number
  readonly failed: number
  readonly milliseconds: number
} {
  const cases = results.flatMap(result => result.cases)
  return {
    cases: cases.length,
    failed: cases.filter(({ differences }) => differences.length > 0).length,
    milliseconds: cases.reduce((sum, each) => sum + each.milliseconds, 0),
  }
}
