import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readExternalText } from '../config/link.ts'
import { parseSources } from '../config/load.ts'
import { describe } from '../config/problems.ts'
import { type FoundFile, readFiles, sourcesOf } from '../config/read.ts'
import type { ExternalText } from '../config/values.ts'
import type { Instant } from '../outside.ts'
import { pluginsFrom } from '../plugins/load-plugins.ts'
import { apply, problemsCausedBy } from './change.ts'
import { type KeyOfLine, keyLineOf } from './key-line.ts'
import { nextStepOf, planStep, type Step, type StepName } from './steps.ts'

/** What is to be done with a line of keys. */
export interface RotationRequest {
  /** Of any key of the line. */
  readonly id: string
  /** Undefined: whatever comes next. */
  readonly step: StepName | undefined
  /** Of the key that is made; undefined: one is made up. */
  readonly newId: string | undefined
  /** Although it may be too early. */
  readonly hurried: boolean
  /** Also what cannot be undone. */
  readonly confirmed: boolean
}

/** Where and when it is done. */
export interface RotationPlace {
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
  readonly now: Instant
}

/** What came of it, in lines for the administrator. */
export interface Rotation {
  readonly done: boolean
  readonly says: readonly string[]
}

/** Takes one step of a rotation, or changes nothing and says why. */
export async function rotateKey(request: RotationRequest, place: RotationPlace): Promise<Rotation> {
  const { folder, environment, now } = place
  const files = await readFiles(folder)
  const find = (external: ExternalText) => readExternalText(external, folder, environment)
  const { files: parsed, sources, problems } = await parseSources(await sourcesOf(files), find, pluginsFrom(folder))
  const broken = sources.files.some(({ file }) => !parsed.some(({ source }) => source.file === file))
  if (broken || sources.problems.length > 0) return refused(...problems.map(describe), 'these files have to be mended first')
  const line = keyLineOf(request.id, parsed, folder)
  if (line.length === 0) return refused(`there is no keys/${request.id}.json`)
  const name = request.step ?? nextStepOf(line)
  const step = await planStep(name, { line, parsed, textOf: file => textIn(files, file), find, newId: request.newId })
  if ('obstacle' in step) return refused(lineInWords(line), step.obstacle)
  const objection = objectionTo(name, step, request, now) ?? (await wouldBreak(step, files, place))
  if (objection !== undefined) return refused(lineInWords(line), ...objection)
  await apply(step.change, folder)
  return { done: true, says: [lineInWords(line), ...step.says, ...adviceAfter(name, request.id)] }
}

function refused(...says: string[]): Rotation {
  return { done: false, says: [...says, 'nothing was changed'] }
}

function lineInWords(line: readonly KeyOfLine[]): string {
  return `the line: ${line.map(({ id, status, algorithm }) => `"${id}" ${status} (${algorithm})`).join(', ')}`
}

function textIn(files: readonly FoundFile[], file: string): string {
  const content = files.find(found => found.file === file)?.content
  return content instanceof Uint8Array ? Buffer.from(content).toString('utf8') : ''
}

/** What the administrator has to know first. */
function objectionTo(name: StepName, { safe, says }: Step, { hurried, confirmed }: RotationRequest, now: Instant): string[] | undefined {
  if (safe !== undefined && now < safe.from && !hurried) {
    return [`"${name}" is safe from ${new Date(safe.from * 1000).toISOString()} on: ${safe.because}; --now does it all the same`]
  }
  return name === 'remove' && !confirmed ? ['with --yes:', ...says.map(line => `  ${line}`)] : undefined
}

async function wouldBreak({ change }: Step, files: readonly FoundFile[], { folder, environment }: RotationPlace) {
  const taken = change.created.find(({ file }) => existsSync(join(folder, file)))
  if (taken !== undefined) return [`${taken.file} is there already; say --as ID`]
  const problems = await problemsCausedBy(change, files, folder, environment)
  return problems.length === 0 ? undefined : [...problems, 'no server would take the result']
}

function adviceAfter(done: StepName, id: string): string[] {
  if (done === 'next') return [`when it has been published for long enough: cambist keys rotate ${id}, which says when that is`]
  return done === 'activate' ? [`when nothing that the old key signed is good any more: cambist keys rotate ${id} --yes`] : []
}
