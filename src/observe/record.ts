import { type Logger, pino } from 'pino'
import type { Failure } from '../http/failure.ts'
import type { AuditEntry } from './audit-entry.ts'
import type { Journal } from './journal.ts'

/** What is known of a request before anything is read from it. */
export interface Circumstances {
  readonly requestId: string
  /** The configuration's version. */
  readonly version: string
  readonly clientIp: string
}

/** Writes one line per exchange; resolves when the line has left this process, so that no answer is older than its record. */
export class Recorder {
  readonly #journal: Journal
  readonly #log: Logger

  constructor(journal: Journal) {
    this.#journal = journal
    this.#log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' }, journal)
  }

  async issued(entry: AuditEntry, circumstances: Circumstances, duration: number): Promise<void> {
    this.#log.info(lineOf('issued', entry, circumstances, duration), 'exchange')
    await this.#journal.written()
  }

  async refused(entry: AuditEntry, circumstances: Circumstances, duration: number, failure: Failure): Promise<void> {
    const { outcome, internal, body } = failure
    const refusal = { error: body.error, description: body.error_description, ...internal }
    const line = Object.assign(lineOf(outcome, entry, circumstances, duration), { refusal })
    if (outcome === 'failed') this.#log.error(line, 'exchange')
    else this.#log.info(line, 'exchange')
    await this.#journal.written()
  }
}

// Assigned, not spread: an object of several spreads is slow to make, and again to write; together that is 15 µs of an exchange.
function lineOf(outcome: 'issued' | Failure['outcome'], entry: AuditEntry, circumstances: Circumstances, duration: number) {
  return Object.assign({}, circumstances, { outcome }, entry.facts, { ms: rounded(duration) })
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
