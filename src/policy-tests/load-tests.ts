import { checkReferences } from '../config/link.ts'
import { type ParsedFile, parseFiles } from '../config/parse.ts'
import type { Problem } from '../config/problems.ts'
import { readTests, type Sources } from '../config/read.ts'
import { casesOf, type PolicyCase } from './cases.ts'
import type { TestSettings } from './test-file.ts'

/** One file of policy tests. */
export interface TestFile {
  /** Relative to the configuration folder. */
  readonly file: string
  readonly id: string
  readonly cases: readonly PolicyCase[]
  readonly parsed: ParsedFile
}

/** All policy tests of a folder, as far as they can be read, and every mistake in them. */
export interface LoadedTests {
  readonly files: readonly TestFile[]
  readonly problems: readonly Problem[]
}

/** Reads the policy tests of a folder. `configuration` has what they may name. */
export async function loadTests(folder: string, configuration: Sources): Promise<LoadedTests> {
  const sources = await readTests(folder)
  const { parsed, problems } = await parseFiles(sources)
  return {
    files: parsed.map(file => {
      const { source, blueprint } = file
      return { file: source.file, id: source.id, cases: casesOf(source, blueprint.settings as TestSettings), parsed: file }
    }),
    problems: [...sources.problems, ...problems, ...(await checkReferences(parsed, configuration, undefined))],
  }
}
