import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { isBuildFresh, repository } from '../support/server-process.ts'

/** What a command printed, and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly output: string
  readonly complaints: string
}

/** Milliseconds that starting Node several times may take on a busy machine. */
export const patience = 120_000

/** Runs `cambist` with these arguments to its end. `input` is what its standard input holds. */
export async function cambist(
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const program = (await isBuildFresh()) ? ['dist/main.js'] : ['--import', 'tsx', 'src/main.ts']
  const child = spawn(process.execPath, [...program, ...args], { cwd: repository, env: { ...process.env, ...env } })
  const output: Buffer[] = []
  const complaints: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output: Buffer.concat(output).toString(), complaints: Buffer.concat(complaints).toString() }
}
