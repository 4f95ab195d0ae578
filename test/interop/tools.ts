import { spawn, spawnSync } from 'node:child_process'
import type { Context } from 'mocha'

/** What a program of the system said. */
export interface Said {
  readonly code: number | null
  readonly out: string
  readonly complaints: string
}

/**
 * Leaves the tests out, aloud, when a program of the system does not run; but fails where `variable` says that it must be there.
 * `probe` has to end with exit code 0.
 */
export function requireProgram(context: Context, program: string, probe: readonly string[], variable: string): void {
  const { status, error, stderr } = spawnSync(program, probe, { encoding: 'utf8' })
  if (status === 0) return
  const why = error?.message ?? stderr.trim()
  if (process.env[variable] === '1') throw new Error(`${variable}=1, but ${program} cannot be used: ${why}`)
  console.log(`      left out, because ${program} cannot be used: ${why.split('\n').at(-1)}`)
  context.skip()
}

/** Runs a program with the given standard input. */
export function run(program: string, args: readonly string[], input = ''): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const said = { out: '', complaints: '' }
    child.stdout.on('data', (text: Buffer) => {
      said.out += text.toString()
    })
    child.stderr.on('data', (text: Buffer) => {
      said.complaints += text.toString()
    })
    child.once('error', reject)
    child.once('close', code => resolve({ code, ...said }))
    // A program that does not read to the end is no failure of ours.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
