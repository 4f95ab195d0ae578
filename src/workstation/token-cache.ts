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
    while (!(await taken(lock))) {
      await removeAbandoned(lock)
      await sleep(50)
    }
    try {
      return await work()
    } finally {
      await rm(lock, { force: true })
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

async function taken(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { mode: 0o600, flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

const longestWork = 60_000

// Who was killed in between left it behind. Renamed first: of several who find it, one only can take it away.
async function removeAbandoned(lock: string): Promise<void> {
  try {
    const holder = Number(await readFile(lock, 'utf8'))
    const { mtimeMs } = await stat(lock)
    // Written a moment after it was made.
    const isBeingMade = !(holder > 0) && Date.now() - mtimeMs < 1_000
    if (isBeingMade || (isAlive(holder) && Date.now() - mtimeMs < longestWork)) return
    const aside = `${lock}.${randomBytes(8).toString('hex')}`
    await rename(lock, aside)
    await rm(aside, { force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
