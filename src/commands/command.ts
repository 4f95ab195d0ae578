import { type ParseArgsConfig, parseArgs } from 'node:util'

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

/** The command was called in a way that it does not understand. */
export class UsageError extends Error {}

/** Reads the options of a command; an unknown one is a `UsageError`. */
export function readOptions<const Config extends ParseArgsConfig['options']>(args: readonly string[], options: Config, positionals = 0) {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: positionals > 0, strict: true })
    if (parsed.positionals.length > positionals) throw new UsageError(`"${parsed.positionals[positionals]}" is too much`)
    return parsed
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message)
  }
}

/** `--config DIR`: where the configuration is. */
export const configOption = { config: { type: 'string', short: 'c', default: '.' } } as const
