import { close, constants, fstatSync, openSync, write } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Outage } from '../oauth/errors.ts'

/** Where log lines go. Lines of concurrent requests are gathered and written together, and each request can wait for its own. */
export interface Journal {
  /** Takes a line, with its line end. It is written soon, without holding up the caller. */
  write(line: string): void
  /** Resolves when all lines so far have been handed to the system, throws an `Outage` when one of them could not be. */
  written(): Promise<void>
  /** Writes what is left, then lets go of the file. */
  close(): Promise<void>
}

/** What a journal may be told beside its file; the defaults are right for a server. */
export interface JournalOptions {
  /** Characters that may wait to be written; further lines are refused. */
  readonly limit?: number
  /** Milliseconds after which a reader that takes nothing is an outage. */
  readonly patience?: number
  /** Whether other processes write to the same pipe. What goes into it is then cut into pieces that do not mix, at two to eight times the cost. */
  readonly shared?: boolean
}

/** Opens a journal on a descriptor, which stays open afterwards, or on a file, which is appended to. */
export function openJournal(destination: number | string, options: JournalOptions = {}): Journal {
  if (typeof destination === 'number') return new DescriptorJournal(destination, false, options)
  return new DescriptorJournal(openSync(destination, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600), true, options)
}

// PIPE_BUF of Linux: a pipe takes so many bytes in one piece, and more than that possibly in several.
const pieceForSharedPipes = 4096
const lineEnd = 0x0a

class DescriptorJournal implements Journal {
  readonly #descriptor: number
  readonly #owned: boolean
  readonly #limit: number
  readonly #patience: number
  readonly #pieceSize: number
  #gathering: Group | undefined
  #writing: Group | undefined
  #refused = false
  #torn = false

  constructor(descriptor: number, owned: boolean, { limit = 8 * 1024 * 1024, patience = 5_000, shared = true }: JournalOptions) {
    this.#descriptor = descriptor
    this.#owned = owned
    this.#limit = limit
    this.#patience = patience
    this.#pieceSize = shared && !fstatSync(descriptor).isFile() ? pieceForSharedPipes : Number.POSITIVE_INFINITY
  }

  write(line: string): void {
    this.#gathering ??= this.#beginGroup()
    if (this.#gathering.lines.length + line.length > this.#limit) this.#refused = true
    else this.#gathering.lines += line
  }

  written(): Promise<void> {
    if (!this.#refused) return (this.#gathering ?? this.#writing)?.written ?? Promise.resolve()
    this.#refused = false
    return Promise.reject(new Outage('the log takes no more lines: its reader is too slow'))
  }

  async close(): Promise<void> {
    await this.written().catch(() => undefined)
    await new Promise(resolve => setImmediate(resolve))
    // A write that hangs still has the descriptor in its hands.
    if (this.#owned && this.#writing === undefined) await promisify(close)(this.#descriptor)
  }

  #beginGroup(): Group {
    // Whatever else this turn of the event loop brings belongs to the group.
    if (this.#writing === undefined) setImmediate(() => this.#writeGroups())
    return new Group(this.#patience)
  }

  async #writeGroups(): Promise<void> {
    while (this.#gathering !== undefined) {
      const group = this.#gathering
      this.#writing = group
      this.#gathering = undefined
      await this.#writeGroup(group)
    }
    this.#writing = undefined
  }

  async #writeGroup(group: Group): Promise<void> {
    try {
      // Half a line, left by a write that failed, must not swallow the next one.
      const bytes = Buffer.from(this.#torn ? `\n${group.lines}` : group.lines)
      for (let from = 0; from < bytes.length; ) {
        from += await this.#writePiece(bytes, from, group)
        this.#torn = bytes[from - 1] !== lineEnd
      }
      group.resolve()
    } catch (error) {
      group.reject(error instanceof Outage ? error : new Outage('the log cannot be written', error))
    }
  }

  async #writePiece(bytes: Buffer, from: number, group: Group): Promise<number> {
    for (;;) {
      const written = await writeSome(this.#descriptor, bytes, from, pieceLength(bytes, from, this.#pieceSize))
      if (written > 0) return written
      // A full pipe that does not block. Once nobody waits for the group any more, the next one has its turn.
      if (group.overdue) throw tooSlow()
      await pause(5)
    }
  }
}

/** Lines that are written together. */
class Group {
  lines = ''
  overdue = false
  readonly written: Promise<void>
  resolve: () => void = () => undefined
  reject: (outage: Outage) => void = () => undefined

  constructor(patience: number) {
    this.written = new Promise((resolve, reject) => {
      const impatience = setTimeout(() => {
        this.overdue = true
        reject(tooSlow())
      }, patience)
      this.resolve = () => {
        clearTimeout(impatience)
        resolve()
      }
      this.reject = outage => {
        clearTimeout(impatience)
        reject(outage)
      }
    })
    // Not every line is waited for.
    this.written.catch(() => undefined)
  }
}

function tooSlow(): Outage {
  return new Outage('the log takes no lines: its reader is too slow')
}

/** Resolves to how many bytes were taken; none where the descriptor is full and does not block. */
function writeSome(descriptor: number, bytes: Buffer, from: number, length: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, from, length, null, (error, written) => {
      if (error === null) resolve(written)
      else if (error.code === 'EAGAIN') resolve(0)
      else reject(error)
    })
  })
}

/** As many whole lines as fit into a piece; a line that is longer than that goes alone. */
function pieceLength(bytes: Buffer, from: number, size: number): number {
  if (bytes.length - from <= size) return bytes.length - from
  const lastThatFits = bytes.lastIndexOf(lineEnd, from + size - 1)
  return (lastThatFits >= from ? lastThatFits : bytes.indexOf(lineEnd, from)) + 1 - from
}
