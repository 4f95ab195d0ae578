#!/usr/bin/env node
import { aws } from './commands/aws.ts'
import { check } from './commands/check.ts'
import { type Command, UsageError } from './commands/command.ts'
import { explain } from './commands/explain.ts'
import { hashSecretCommand } from './commands/hash-secret.ts'
import { keys } from './commands/keys.ts'
import { kubectl } from './commands/kubectl.ts'
import { serve } from './commands/serve.ts'
import { terminal } from './commands/terminal.ts'
import { test } from './commands/test.ts'
import { token } from './commands/token.ts'
import { usage } from './commands/usage.ts'

const commands: readonly Command[] = [serve, check, explain, test, usage, keys, hashSecretCommand, token, aws, kubectl]

/** The command line: finds the command and runs it. Exit codes: 0 done, 1 not done, 2 called wrongly. */
async function main([name = '--help', ...rest]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') {
    terminal.print(overview())
    return 0
  }
  const command = commands.find(candidate => candidate.name === name)
  if (command === undefined) {
    terminal.complain(`there is no command "${name}"\n\n${overview()}`)
    return 2
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.print(`cambist ${command.usage}\n\n${command.help}`)
    return 0
  }
  try {
    return await command.run(rest)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    terminal.complain(`${error.message}\n\nusage: cambist ${command.usage}`)
    return 2
  }
}

function overview(): string {
  const width = Math.max(...commands.map(({ usage }) => usage.length))
  const lines = commands.map(({ usage, summary }) => `  cambist ${usage.padEnd(width)}  ${summary}`)
  return ['cambist: OAuth 2.0 token exchange (RFC 8693)', '', ...lines, '', 'cambist COMMAND --help tells more about each.'].join('\n')
}

process.exitCode = await main(process.argv.slice(2))
