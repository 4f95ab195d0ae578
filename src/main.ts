#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import type { Command } from './commands/command.ts'
import { didYouMean } from './config/suggest.ts'
import { terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

// Each is read when it is called: whoever asks for credentials does not wait for the server's code.
const commands = new Map<string, () => Promise<Command>>([
  ['serve', async () => (await import('./commands/serve.ts')).serve],
  ['check', async () => (await import('./commands/check.ts')).check],
  ['explain', async () => (await import('./commands/explain.ts')).explain],
  ['lookup', async () => (await import('./commands/lookup.ts')).lookup],
  ['test', async () => (await import('./commands/test.ts')).test],
  ['usage', async () => (await import('./commands/usage.ts')).usage],
  ['schemas', async () => (await import('./commands/schemas.ts')).schemas],
  ['keys', async () => (await import('./commands/keys.ts')).keys],
  ['hash-secret', async () => (await import('./commands/hash-secret.ts')).hashSecretCommand],
  ['token', async () => (await import('./commands/token.ts')).token],
  ['aws', async () => (await import('./commands/aws.ts')).aws],
  ['kubectl', async () => (await import('./commands/kubectl.ts')).kubectl],
])

/** The command line: finds the command and runs it. Exit codes: 0 done, 1 not done, 2 called wrongly. */
async function main([name = '--help', ...rest]: readonly string[]): Promise<number> {
  if (['--help', '-h', 'help'].includes(name)) return print(await overview())
  if (name === '--version') return print(await version())
  const command = await commands.get(name)?.()
  if (command === undefined) return complain(`there is no command "${name}"${didYouMean(name, commands.keys())}\n\n${await overview()}`)
  if (rest.includes('--help') || rest.includes('-h')) return print(`cambist ${command.usage}\n\n${command.help}`)
  try {
    return await command.run(rest)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return complain(`${error.message}\n\nusage: cambist ${command.usage}`)
  }
}

function print(text: string): number {
  terminal.print(text)
  return 0
}

function complain(text: string): number {
  terminal.complain(text)
  return 2
}

async function version(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}

async function overview(): Promise<string> {
  const all = await Promise.all([...commands.values()].map(command => command()))
  const width = Math.max(...all.map(({ usage }) => usage.length))
  const lines = all.map(({ usage, summary }) => `  cambist ${usage.padEnd(width)}  ${summary}`)
  return [
    'cambist: OAuth 2.0 token exchange (RFC 8693)',
    '',
    ...lines,
    '',
    'cambist COMMAND --help tells more about each, cambist --version which one this is.',
  ].join('\n')
}

process.exitCode = await main(process.argv.slice(2))
