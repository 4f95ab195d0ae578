import { randomUUID } from 'node:crypto'
import { Outage } from '../../oauth/errors.ts'
import type { Directories } from './directories.ts'
import { DirectoryRefusal, resultCodes } from './result-codes.ts'
import { Waiters } from './waiters.ts'

/** How many may log on at once, and how many wait for that. */
export interface LogOnLimits {
  readonly atOnce: number
  readonly mostWaiting: number
}

/** Answers that tell nothing of the password (RFC 4511 appendix A.2): another moment or another setting is needed. */
const notAboutPasswords: readonly number[] = [
  resultCodes.operationsError,
  resultCodes.protocolError,
  resultCodes.strongerAuthRequired,
  resultCodes.confidentialityRequired,
  resultCodes.busy,
  resultCodes.unavailable,
  resultCodes.other,
]

/** Has people prove their passwords, each on a connection of its own: nothing else is ever asked in their names. */
export class LogOns {
  readonly #directories: Directories
  readonly #atOnce: number
  readonly #waiters: Waiters<undefined>
  #running = 0

  constructor(directories: Directories, { atOnce, mostWaiting }: LogOnLimits) {
    this.#directories = directories
    this.#atOnce = atOnce
    this.#waiters = new Waiters(mostWaiting)
  }

  /** Whether it is the password of the entry of this name. Throws an `Outage` when that could not be found out. */
  async prove(dn: string, password: string, signal: AbortSignal): Promise<boolean> {
    // RFC 4513 §5.1.2: a directory takes a name without a password for nobody, and says yes.
    if (password === '') return false
    await this.#turn(signal)
    try {
      return await this.#bind(dn, password, signal)
    } finally {
      if (!this.#waiters.serve(undefined)) this.#running--
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#running >= this.#atOnce) return await this.#waiters.wait(signal)
    this.#running++
  }

  async #bind(dn: string, password: string, signal: AbortSignal): Promise<boolean> {
    const { connection } = await this.#directories.open({ method: 'anonymous' }).catch(error => {
      throw new Outage('the directory cannot be reached', error)
    })
    try {
      await connection.bind({ method: 'simple', dn, password }, signal)
      return true
    } catch (error) {
      if (error instanceof DirectoryRefusal && !notAboutPasswords.includes(error.code)) return false
      throw new Outage('the directory did not say whether a password is right', error)
    } finally {
      connection.close()
    }
  }
}

/** A name that no entry has. */
export function nobodyBelow(base: string): string {
  return `cn=${randomUUID()},${base}`
}
