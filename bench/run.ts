import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { allExperiments, type Experiment } from './experiments.ts'
import type { LoadFigures } from './load.ts'
import { makeKeys } from './material.ts'
import { makeRoom, pinning, startScript } from './processes.ts'
import { Progress } from './progress.ts'
import { type Result, report, undisturbed } from './report.ts'
import type { Bench, Running } from './subjects.ts'
import { writeDocs } from './write-docs.ts'

// `npm run bench`: what an exchange costs, next to what it would have to cost.

const usage = 'npm run bench -- [--quick] [--only NAME,…] [--against CHECKOUT] [--profile FOLDER] [--rounds N] [--seconds N] [--warmup N]'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    against: { type: 'string' },
    profile: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    warmup: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

interface Plan {
  readonly rounds: number
  readonly seconds: number
  readonly settle: number
  /** V8 takes 6 to 8 seconds of load until figures settle, where it has a core for itself. */
  readonly warmup: number
  /** So many exchanges at least, within four times these seconds: on a machine that is shared, seconds alone say little. */
  readonly settled: number
}

const plan: Plan = {
  rounds: Number(values.rounds ?? (values.quick ? 1 : 20)),
  seconds: Number(values.seconds ?? (values.quick ? 1 : 0.8)),
  settle: 0.2,
  warmup: Number(values.warmup ?? (values.quick ? 1 : 8)),
  settled: values.quick ? 0 : 8000,
}

async function main(): Promise<void> {
  const every = allExperiments(values.against)
  const wanted = values.only?.split(',')
  const experiments = every.filter(({ name }) => wanted?.includes(name) ?? true)
  if (values.help || experiments.length === 0) return console.log(`${usage}\nNAME: ${every.map(({ name }) => name).join(', ')}`)
  if (!existsSync('dist/main.js')) throw new Error('dist/main.js is missing: npm run prepare makes it')
  const folder = mkdtempSync(join(tmpdir(), 'cambist-bench-'))
  makeRoom()
  makeKeys(join(folder, 'keys'))
  const load = startScript('bench/load.ts', [], 'load')
  const loadOnAllCores = startScript('bench/load.ts', [], 'all')
  const bench: Bench = { folder, keys: join(folder, 'keys'), load, loadOnAllCores, connections: 32, profile: values.profile }
  const progress = new Progress(secondsFor(experiments))
  try {
    const results: Result[] = []
    for (const experiment of experiments) results.push(await run(experiment, bench, progress))
    progress.end()
    console.log(report(results, plan, pinning))
    // Figures of a part, or of a few seconds, are not for the documentation.
    if (!values.quick && results.length === every.length && values.against === undefined && values.profile === undefined)
      writeDocs(results, plan)
  } finally {
    await Promise.all([load.stop(), loadOnAllCores.stop()])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Starts everything that is compared, warms it up, and measures it in turn, every round in another order. */
async function run({ title, exchange, subjects }: Experiment, bench: Bench, progress: Progress): Promise<Result> {
  const running: Running[] = []
  try {
    for (const subject of subjects) {
      progress.now(`${title}: starting ${subject.name}`, 0)
      running.push(await subject.start(bench, exchange))
    }
    for (const [index, each] of running.entries()) {
      progress.now(`${title}: warming up ${subjects[index]?.name}`, plan.warmup)
      await warmUp(each)
    }
    const rounds: LoadFigures[][] = subjects.map(() => [])
    for (let round = 0; round < plan.rounds; round++) {
      for (let turn = 0; turn < running.length; turn++) {
        const index = (turn + round) % running.length
        progress.now(`${title}: round ${round + 1} of ${plan.rounds}, ${subjects[index]?.name}`, plan.settle + plan.seconds)
        rounds[index]?.push(await (running[index] as Running).measure(plan.settle, plan.seconds))
      }
    }
    return undisturbed({ title, subjects: subjects.map(({ name }, index) => ({ name, rounds: rounds[index] ?? [] })) })
  } finally {
    await Promise.all(running.map(each => each.stop()))
  }
}

async function warmUp(subject: Running): Promise<void> {
  let exchanges = 0
  for (let turn = 0; turn < 4 && (turn === 0 || exchanges < plan.settled); turn++) {
    exchanges += (await subject.measure(0, plan.warmup)).perSecond * plan.warmup
  }
}

function secondsFor(experiments: readonly Experiment[]): number {
  const count = experiments.reduce((sum, { subjects }) => sum + subjects.length, 0)
  return count * (plan.warmup + plan.rounds * (plan.settle + plan.seconds))
}

await main()
