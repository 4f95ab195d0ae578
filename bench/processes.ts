import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { ask as askPlainly } from './plain-client.ts'

/** Which of the machine's cores a process may use. The servers have the first one, the load generator the second. */
export type Cores = 'server' | 'load' | 'all'

/** Whether processes can be kept on cores of their own. */
export const pinning = availableParallelism() >= 2 && spawnSync('taskset', ['--version']).status === 0

const coreList: Record<Cores, string> = { server: '0', load: '1', all: '0,1' }

/** A child process, and how to get rid of it. */
export interface Started {
  readonly child: ChildProcess
  readonly pid: number
  stop(): Promise<void>
}

/** Starts a program on the given cores. With `channel` there are messages; else standard output goes to the descriptor `output`. */
export function start(
  command: readonly string[],
  cores: Cores,
  { output, channel = false }: { output?: number; channel?: boolean } = {},
): Started {
  const [program = '', ...args] = pinning ? ['taskset', '-c', coreList[cores], ...command] : command
  const child = spawn(program, args, {
    stdio: ['ignore', output ?? 'ignore', 'pipe', channel ? 'ipc' : 'ignore'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  if (child.pid === undefined) throw new Error(`cannot start ${program}`)
  // Shown only where it explains something: oidc-provider warns of what does not matter here.
  let complaints = ''
  child.stderr?.on('data', chunk => {
    complaints = (complaints + String(chunk)).slice(-4000)
  })
  child.once('exit', code => code !== 0 && code !== null && process.stderr.write(`\n${complaints}\n`))
  return { child, pid: child.pid, stop: () => stop(child) }
}

/** Starts one of the benchmark's own scripts. */
export function startScript(script: string, args: readonly string[], cores: Cores): Started {
  return start([process.execPath, '--import', 'tsx', script, ...args], cores, { channel: true })
}

/** Keeps this process, which does nothing while something is measured, and those it starts off the servers' core. */
export function makeRoom(): void {
  if (pinning) spawnSync('taskset', ['-cp', coreList.load, String(process.pid)])
}

/** Sends a message and resolves to the next one that comes back. */
export async function ask<Answer>({ child }: Started, message: object): Promise<Answer> {
  const answer = nextMessage(child)
  child.send(message)
  const [received] = (await answer) as [Answer & { problem?: string }]
  if (received.problem !== undefined) throw new Error(received.problem)
  return received
}

/** Resolves when the script says that it listens. */
export async function listening({ child }: Started): Promise<void> {
  await nextMessage(child)
}

/** Resolves when a GET is answered with 200. */
export async function answering(url: string, { child }: Started): Promise<void> {
  while (child.exitCode === null) {
    const answer = await askPlainly(url).catch(() => undefined)
    if (answer?.status === 200) return
    await pause(50)
  }
  throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`)
}

/** A process and those that it has forked. */
export function withChildren(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    .split(' ')
    .filter(text => text !== '')
  return [pid, ...children.map(Number)]
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

async function nextMessage(child: ChildProcess): Promise<unknown[]> {
  const done = new AbortController()
  const ended = once(child, 'exit', { signal: done.signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`)
  })
  try {
    return await Promise.race([once(child, 'message', { signal: done.signal }), ended])
  } finally {
    // Whichever came first, the other one is waited for no more.
    ended.catch(() => undefined)
    done.abort()
  }
}
