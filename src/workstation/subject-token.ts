import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { UsageError } from '../usage-error.ts'

/** Where a text that nobody may see comes from. */
export type TextSource = { readonly from: 'file' | 'environment' | 'command'; readonly name: string }

/** The one source that the options name: `--subject-token-file`, `--subject-token-env` or `--subject-token-command`. */
export function sourceNamed(what: string, options: Readonly<Record<string, string | undefined>>): TextSource {
  const sources = [
    { from: 'file', name: options[`${what}-file`] },
    { from: 'environment', name: options[`${what}-env`] },
    { from: 'command', name: options[`${what}-command`] },
  ] as const
  const [source, another] = sources.filter(({ name }) => name !== undefined)
  const names = sources.map(({ from }) => optionNames[from]).filter(end => `${what}-${end}` in options)
  if (source === undefined || another !== undefined)
    throw new UsageError(`expected exactly one of ${names.map(end => `--${what}-${end}`).join(', ')}`)
  return { from: source.from, name: source.name ?? '' }
}

const optionNames = { file: 'file', environment: 'env', command: 'command' } as const

/** The text, without the line end that editors and commands add. Throws an `Error` for a person. */
export function readText({ from, name }: TextSource): string {
  const text = { file: fromFile, environment: fromEnvironment, command: fromCommand }[from](name).replace(/\r?\n$/, '')
  if (text === '') throw new Error(`the ${from} ${name} is empty`)
  return text
}

function fromFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function fromEnvironment(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`the environment variable ${name} is not set`)
  return value
}

// It may ask its user something, on the terminal and on standard error; only what it prints is the token.
function fromCommand(command: string): string {
  const { status, stdout, error } = spawnSync('sh', ['-c', command], { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' })
  if (error !== undefined || status !== 0)
    throw new Error(`the command that prints the subject token ended with ${status ?? error?.message}`)
  return stdout
}
