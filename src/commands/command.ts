import { type ParseArgsConfig, parseArgs } from 'node:util'
import { didYouMean } from '../config/suggest.ts'
import { UsageError } from '../usage-error.ts'

/** One command of the command line. */
export interface Command {
  readonly name: string
  readonly usage: string
  /** One line for the overview. */
  readonly summary: string
  readonly help: string
  /** Resolves to the exit code. */
  run(args: readonly string[]): Promise<number>
}

type Options = NonNullable<ParseArgsConfig['options']>
type ReadOptions<Config extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Config; allowPositionals: true; strict: true }>
>

/** Reads the options of a command; an unknown one is a `UsageError`. */
export function readOptions<const Config extends Options>(args: readonly string[], options: Config, positionals = 0): ReadOptions<Config> {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    // It is not repeated: somebody may have taken the place of an option for that of a secret.
    if (parsed.positionals.length > positionals) throw new UsageError('there is an argument too many')
    return parsed
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(describe(error as NodeJS.ErrnoException, Object.keys(options)))
  }
}

function describe({ code, message }: NodeJS.ErrnoException, names: readonly string[]): string {
  const unknown = code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? /'(-[^']*)'/.exec(message)?.[1] : undefined
  if (unknown === undefined) return message
  const options = names.map(name => `--${name}`)
  return `there is no option ${unknown}${didYouMean(unknown, options)}`
}

/** `--config DIR`: where the configuration is. */
export const configOption = { config: { type: 'string', short: 'c', default: '.' } } as const
