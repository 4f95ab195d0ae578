import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** The server as a process of its own, as an administrator starts it. */
export interface ServerProcess {
  readonly pid: number
  /** The processes that serve: one, or as many as there are workers, the first of them first. */
  readonly serving: readonly number[]
  /** Standard output so far, line by line. */
  readonly lines: readonly string[]
  /** Waits for a JSON line of the server's own log with this message; each line is given once. */
  logged(message: string): Promise<Record<string, unknown>>
  /** Waits until standard output has a line with this text, and gives all lines up to and with it. */
  printed(text: string): Promise<readonly string[]>
  /** Resolves to the exit code, when it and its workers have ended. */
  readonly ended: Promise<number | null>
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL to it and everything that it started, at once. */
  kill(): Promise<void>
}

/** Where `package.json` is. */
export const repository = resolve(import.meta.dirname, '../..')

interface Start {
  readonly workers?: number
  /** What is run, by `node` in the repository unless `cwd` says otherwise; absent: `cambist serve` on the folder. */
  readonly command?: readonly string[]
  readonly cwd?: string
}

/** Starts `cambist serve` on a folder and waits until every worker listens. Fails with what it printed when it does not come up. */
export async function startProcess(folder: string, { workers = 1, command, cwd = repository }: Start = {}): Promise<ServerProcess> {
  const arguments_ = command ?? [...(await program()), 'serve', '--config', folder]
  // A group of its own: what is killed with it has no time to say good-bye to each other.
  const child = spawn(process.execPath, arguments_, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const log = new LogOf(child)
  const killGroup = () => signalGroup(child, 'SIGKILL')
  process.once('exit', killGroup)
  child.once('exit', () => process.off('exit', killGroup))
  // Not when it exits, but when everything that it and its workers have printed was read.
  const ended = once(child, 'close').then(([code]) => code as number | null)
  try {
    const serving: number[] = []
    while (serving.length < workers) serving.push(Number((await log.message('listening')).pid))
    return {
      pid: child.pid as number,
      serving,
      lines: log.lines,
      ended,
      logged: message => log.message(message),
      printed: text => log.until(text),
      async stop() {
        child.kill('SIGTERM')
        return await ended
      },
      async kill() {
        killGroup()
        await ended
      },
    }
  } catch (error) {
    killGroup()
    throw error
  }
}

/** What `node` runs: the build where it is fresh, since that starts a second sooner; else the sources. */
async function program(): Promise<string[]> {
  return (await isBuildFresh()) ? ['dist/main.js'] : ['--import', 'tsx', 'src/main.ts']
}

/** Whether `dist/` is newer than every source. */
export async function isBuildFresh(): Promise<boolean> {
  const built = await stat(resolve(repository, 'dist/main.js')).catch(() => undefined)
  const sources = await readdir(resolve(repository, 'src'), { recursive: true, withFileTypes: true })
  const changes = sources.filter(entry => entry.isFile()).map(async entry => (await stat(resolve(entry.parentPath, entry.name))).mtimeMs)
  return built !== undefined && built.mtimeMs > Math.max(...(await Promise.all(changes)))
}

/** For what only a build can do. No test makes one: others may be running it. */
export async function requireBuild(): Promise<void> {
  const built = await stat(resolve(repository, 'dist/main.js')).catch(() => undefined)
  if (built === undefined) throw new Error('there is no dist/: run "npm run prepare"')
  if (!(await isBuildFresh())) console.warn('      dist/ is older than src/: run "npm run prepare"')
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

class LogOf {
  readonly lines: string[] = []
  #complaints = ''
  /** By which code or signal. */
  #ended: string | undefined
  #read = new Map<string, number>()
  #wake: () => void = () => undefined
  #woken = new Promise<void>(resolve => {
    this.#wake = resolve
  })

  constructor(child: ChildProcess) {
    if (child.stdout === null || child.stderr === null) throw new Error('the process has no output')
    createInterface(child.stdout).on('line', line => this.#add(line))
    child.stderr.on('data', (text: Buffer) => {
      this.#complaints += text.toString()
    })
    child.once('close', (code, signal) => {
      this.#ended = String(code ?? signal)
      this.#news()
    })
  }

  async message(wanted: string): Promise<Record<string, unknown>> {
    const from = this.#read.get(wanted) ?? 0
    const at = await this.#find(`"msg":${JSON.stringify(wanted)}`, from)
    this.#read.set(wanted, at + 1)
    return JSON.parse(this.lines[at] as string)
  }

  async until(text: string): Promise<readonly string[]> {
    return this.lines.slice(0, (await this.#find(text, 0)) + 1)
  }

  async #find(text: string, from: number): Promise<number> {
    for (let searched = from; ; ) {
      const at = this.lines.findIndex((line, index) => index >= searched && line.includes(text))
      if (at >= 0) return at
      if (this.#ended !== undefined)
        throw new Error(`the server ended (${this.#ended}) without "${text}":\n${this.lines.slice(-20).join('\n')}\n${this.#complaints}`)
      searched = this.lines.length
      await this.#woken
    }
  }

  #add(line: string): void {
    this.lines.push(line)
    this.#news()
  }

  #news(): void {
    this.#wake()
    this.#woken = new Promise(resolve => {
      this.#wake = resolve
    })
  }
}
