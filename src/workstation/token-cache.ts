import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isJsonObject } from '../json.ts'
import type { ObtainedToken } from './exchange-request.ts'

/** The folder in which commands keep what they obtained (XDG Base Directory Specification). */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const base = environment.XDG_CACHE_HOME
  return join(base?.startsWith('/') === true ? base : join(homedir(), '.cache'), 'cambist')
}

/** Tokens in files that only their owner can read, one file for each request. */
export class TokenCache {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Makes the folder. Gives the code of what speaks against keeping anything: a home that is not there, or read-only. */
  async problem(): Promise<string | undefined> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      await access(this.#folder, constants.W_OK)
      return undefined
    } catch (error) {
      return (error as NodeJS.ErrnoException).code
    }
  }

  /** What is kept under the name; undefined where nothing is that only we can have written. */
  async get(name: string): Promise<ObtainedToken | undefined> {
    const path = this.#file(name)
    try {
      // A link, or a file that others may write to, may hold somebody else's credentials.
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        const { uid, mode } = await file.stat()
        if (uid !== process.getuid?.() || (mode & 0o077) !== 0) return undefined
        return tokenIn(await file.readFile('utf8'))
      } finally {
        await file.close()
      }
    } catch {
      return undefined
    }
  }

  /** Keeps a token: written beside the old one and renamed, so that nobody reads half of it. */
  async put(name: string, token: ObtainedToken): Promise<void> {
    const draft = `${this.#file(name)}.${randomBytes(8).toString('hex')}`
    await writeFile(draft, JSON.stringify(token), { mode: 0o600, flag: 'wx' })
    await rename(draft, this.#file(name))
  }

  /** Lets one process at a time obtain what is kept under this name: tools ask for credentials several times at once. */
  async alone<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const lock = `${this.#file(name)}.lock`
    // Its own for each turn: whoever takes longer than a lock lasts must not take away that of his successor.
    const mark = `${process.pid} ${randomBytes(8).toString('hex')}`
    while (!(await taken(lock, mark))) {
      await removeAbandoned(lock)
      await sleep(50)
    }
    try {
      return await work()
    } finally {
      if ((await lockAt(lock))?.text === mark) await rm(lock, { force: true })
    }
  }

  #file(name: string): string {
    return join(this.#folder, name)
  }
}

function tokenIn(text: string): ObtainedToken | undefined {
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value) || typeof value.token !== 'string' || typeof value.expiresAt !== 'number') return undefined
  return { token: value.token, expiresAt: value.expiresAt }
}

async function taken(lock: string, mark: string): Promise<boolean> {
  try {
    await writeFile(lock, mark, { mode: 0o600, flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

const longestWork = 60_000

// Whoever was killed in between left it behind. Taken away by one at a time, who looks at it once more: of several who find it, a slow
// one would else take away what another one has locked since.
async function removeAbandoned(lock: string): Promise<void> {
  const found = await lockAt(lock)
  if (found === undefined || !isAbandoned(found)) return
  const removal = `${lock}.removal`
  if (!(await taken(removal, String(process.pid)))) {
    const other = await lockAt(removal)
    if (other !== undefined && Date.now() - other.mtimeMs > longestWork) await rm(removal, { force: true })
    return
  }
  try {
    const still = await lockAt(lock)
    if (still?.text === found.text && still.mtimeMs === found.mtimeMs) await rm(lock, { force: true })
  } finally {
    await rm(removal, { force: true })
  }
}

interface Lock {
  /** The process that has it, and what tells its turns apart. */
  readonly text: string
  readonly mtimeMs: number
}

async function lockAt(path: string): Promise<Lock | undefined> {
  try {
    const text = await readFile(path, 'utf8')
    const { mtimeMs } = await stat(path)
    return { text, mtimeMs }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function isAbandoned({ text, mtimeMs }: Lock): boolean {
  const age = Date.now() - mtimeMs
  const holder = Number.parseInt(text, 10)
  // Written a moment after it was made.
  if (!(holder > 0)) return age >= 10_000
  return age >= longestWork || !isAlive(holder)
}

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
