import type { ConfiguredProbe } from './build.ts'
import { Findings, placeIn } from './findings.ts'
import type { Place, Problem } from './problems.ts'

/** What another server answered when it was asked. */
export interface Answered {
  readonly place: Place
  readonly what: string
  readonly found: string
}

/** What came of asking everybody. */
export interface Asked {
  readonly answered: readonly Answered[]
  /** Servers that cannot be used, each at the setting that names it. */
  readonly problems: readonly Problem[]
}

// More at once would look like an attack to a server that several files name.
const atOnce = 8

/** Asks every other server that a configuration names, several at once. What fails is reported at the setting that names it. */
export async function askEverybody(probes: readonly ConfiguredProbe[]): Promise<Asked> {
  const findings = new Findings()
  const answered: Answered[] = []
  const waiting = probes.values()
  const askOneAfterTheOther = async () => {
    for (const { file, path, what, run } of waiting) {
      try {
        answered.push({ place: placeIn(file, path), what, found: await run() })
      } catch (error) {
        findings.report(file, path, `${what} cannot be had: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, askOneAfterTheOther))
  return { answered, problems: findings.problems }
}
