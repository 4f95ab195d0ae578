import { expect } from 'chai'
import { Outage } from '../../src/oauth/errors.ts'
import type { Journal } from '../../src/observe/journal.ts'

/** The part of a journal that records are written to. */
export type RecordJournal = Pick<Journal, 'write' | 'written'>

/**
 * The audit records of a server under test. It knows every token and secret that went over the wire, so that each test, whatever
 * it is about, also proves that there is one line for each exchange and that none of them gives anything away.
 */
export class AuditTrail implements RecordJournal {
  readonly records: Array<Record<string, unknown>> = []
  readonly #confidential = new Set<string>()
  #lines = ''
  #exchanges = 0

  write(line: string): void {
    this.#lines += line
    this.records.push(JSON.parse(line))
  }

  async written(): Promise<void> {}

  /** A request was sent to the token endpoint. */
  countExchange(): void {
    this.#exchanges++
  }

  /** Something that no record may repeat. What is short occurs by chance. */
  keepSecret(text: unknown): void {
    if (typeof text === 'string' && text.length >= 16) this.#confidential.add(text)
  }

  /** Fails unless every exchange left one line, and none of them a token or a secret. */
  verify(): void {
    expect(this.#lines.split('\n').filter(Boolean)).to.have.length(this.#exchanges, 'one line for each exchange')
    for (const text of this.#confidential) expect(this.#lines.includes(text), `a record repeats ${text}`).to.equal(false)
  }
}

/** A journal whose lines are not written until somebody says so. */
export class HeldJournal implements RecordJournal {
  readonly lines: string[] = []
  #release: () => void = () => undefined
  #asked: () => void = () => undefined
  /** Resolves when the server waits for its line. */
  readonly waitedFor = new Promise<void>(resolve => {
    this.#asked = resolve
  })
  readonly #released = new Promise<void>(resolve => {
    this.#release = resolve
  })

  write(line: string): void {
    this.lines.push(line)
  }

  written(): Promise<void> {
    this.#asked()
    return this.#released
  }

  release(): void {
    this.#release()
  }
}

/** A journal that cannot be written while `broken`. */
export class BreakableJournal implements RecordJournal {
  readonly lines: string[] = []
  broken = false

  write(line: string): void {
    if (!this.broken) this.lines.push(line)
  }

  async written(): Promise<void> {
    if (this.broken) throw new Outage('the disk of the test is full')
  }
}
