import { resolve } from 'node:path'
import { didYouMean } from '../config/suggest.ts'
import { rotateKey } from '../rotation/rotate.ts'
import { type StepName, stepNames } from '../rotation/steps.ts'
import { terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import { systemTime } from '../world.ts'
import { configOption, readOptions } from './command.ts'
import { checkId } from './keys-generate.ts'

const flag = { type: 'boolean', default: false } as const

/** `cambist keys rotate`: one step of replacing a key by another one. */
export async function rotate(args: readonly string[]): Promise<number> {
  const { values, positionals } = readOptions(args, { ...configOption, as: { type: 'string' }, now: flag, yes: flag }, 2)
  const [id, step] = positionals
  if (id === undefined) throw new UsageError('say which: keys rotate ID')
  if (step !== undefined && !isStep(step)) throw new UsageError(`there is no step "${step}"${didYouMean(step, stepNames)}`)
  if (values.as !== undefined) checkId(values.as)
  const request = { id, step, newId: values.as, hurried: values.now, confirmed: values.yes }
  const { done, says } = await rotateKey(request, { folder: resolve(values.config), environment: process.env, now: systemTime() })
  for (const line of says) terminal[done ? 'print' : 'complain'](line)
  return done ? 0 : 1
}

function isStep(name: string): name is StepName {
  return (stepNames as readonly string[]).includes(name)
}
