import { statSync } from 'node:fs'
import { access, constants, stat, statfs } from 'node:fs/promises'
import { Outage } from '../oauth/errors.ts'

const believedFor = 50

/**
 * Watches the file that a database lives in, because LMDB cannot be trusted with the end of the disk: when a write fails
 * there, lmdb 3.5 composes its message in a buffer that is too short, and the process may abort. And a file that was
 * moved away goes on being written to by those who have it open, until they restart and everything is gone.
 */
export class DiskCheck {
  readonly #file: string
  readonly #reserve: number
  readonly #inode: number
  #checkedAt = Number.NEGATIVE_INFINITY

  /** `reserve`: the bytes that must be free on the disk for anything to be written. */
  constructor(file: string, reserve: number) {
    this.#file = file
    this.#reserve = reserve
    this.#inode = statSync(file).ino
  }

  /** Resolves when the file can be written to; a good result of the last moments counts. */
  async passed(): Promise<void> {
    if (performance.now() - this.#checkedAt > believedFor) await this.pass()
  }

  /** Resolves when the file can be written to now, throws an `Outage` otherwise. */
  async pass(): Promise<void> {
    const [{ ino }, { bavail, bsize }] = await Promise.all([
      stat(this.#file),
      statfs(this.#file),
      access(this.#file, constants.W_OK),
    ]).catch(cause => Promise.reject(new Outage('the file of the store cannot be written to', cause)))
    if (ino !== this.#inode) throw new Outage('the file of the store is another one than at the start: restart to use it')
    if (bavail * bsize < this.#reserve) throw new Outage('the disk of the store is full')
    this.#checkedAt = performance.now()
  }
}
