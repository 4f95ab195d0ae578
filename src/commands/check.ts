import { resolve } from 'node:path'
import { pino } from 'pino'
import { buildConfiguration, parseConfiguration } from '../config/load.ts'
import { ConfigError, describe, describeWarning } from '../config/problems.ts'
import { readSources } from '../config/read.ts'
import { type Command, configOption, readOptions } from './command.ts'
import { terminal } from './terminal.ts'
import { withoutStore } from './world.ts'

/** `cambist check`: loads a configuration as the server would, and starts nothing. */
export const check: Command = {
  name: 'check',
  usage: 'check [--config DIR]',
  summary: 'check the configuration and report every problem with its line',
  help: [
    'Loads the configuration as the server does, and starts nothing. Prints every problem with file, line and column,',
    'and warns of settings that are legal and dangerous; docs/warnings.md explains each code. Exits 0 when the',
    'configuration can be used, 1 when it cannot.',
  ].join('\n'),
  async run(args) {
    const { values } = readOptions(args, configOption)
    const folder = resolve(values.config)
    const parsed = await parseConfiguration(await readSources(folder), folder, process.env)
    try {
      const { warnings } = await buildConfiguration(parsed, withoutStore(pino({ level: 'silent' })))
      for (const warning of warnings) terminal.print(`warning: ${describeWarning(warning)}`)
      const also = warnings.length === 0 ? '' : `, ${count(warnings.length, 'warning')}`
      terminal.print(`${count(parsed.sources.files.length, 'file')}, version ${parsed.sources.version}: no problems${also}`)
      return 0
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      for (const problem of error.problems) terminal.complain(describe(problem))
      if (parsed.settings?.sample === true)
        terminal.complain('This is the sample configuration: its first start makes the keys and secrets that are not there.')
      terminal.complain(`${count(error.problems.length, 'problem')}; nothing can start with this configuration`)
      return 1
    }
  },
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
