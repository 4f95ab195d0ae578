import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Debian's `nobody`. Database servers refuse to run as root, which tests in a container are.
const nobody = 65534
const isRoot = process.getuid?.() === 0

/** Starts a server that refuses to run as root, as a user who may do little. It ends with the tests. */
export function startUnprivileged(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const started = spawn(command, args, { stdio: 'ignore', ...options, ...asNobody() })
  const kill = () => started.kill('SIGKILL')
  process.once('exit', kill)
  started.once('exit', () => process.removeListener('exit', kill))
  return started
}

/** Runs a command as that user, to its end. */
export async function runUnprivileged(command: string, args: readonly string[]): Promise<void> {
  const started = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...asNobody() })
  let complaints = ''
  started.stderr?.on('data', chunk => {
    complaints += chunk
  })
  const [code] = await once(started, 'close')
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaints}`)
}

function asNobody(): { uid?: number; gid?: number; cwd: string } {
  return { ...(isRoot ? { uid: nobody, gid: nobody } : {}), cwd: tmpdir() }
}

/** Makes a folder that belongs to that user. */
export async function unprivilegedFolder(name: string): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `cambist-${name}-`))
  if (isRoot) await chown(path, nobody, nobody)
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Whether a command is there. */
export function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0
}

/** Skips the suite and says so; with `CAMBIST_REQUIRE_…=1` that is a failure. */
export function notInstalled(context: Mocha.Context, variable: string, reason: string, remedy: string): void {
  if (process.env[variable] === '1') throw new Error(`${variable}=1, but ${reason}`)
  console.warn(`      SKIPPED, NOT TESTED: ${reason}; install it (${remedy}) to run these tests`)
  context.skip()
}
