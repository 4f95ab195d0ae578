import { randomUUID } from 'node:crypto'
import { type Logger, pino } from 'pino'
import type { Caller } from '../http/caller.ts'
import type { Failure } from '../http/failure.ts'
import type { AuditEntry } from './audit-entry.ts'
import type { Journal } from './journal.ts'

/** What is known of a request before anything is read from it. */
export interface Circumstances {
  readonly requestId: string
  /** The configuration's version. */
  readonly version: string
  readonly clientIp: string
  /** Headers about the caller that were not believed; absent where there were none. */
  readonly ignoredHeaders?: readonly string[]
}

/** The circumstances of a request that comes now. */
export function circumstancesOf({ version }: { readonly version: string }, { address, notBelieved }: Caller): Circumstances {
  const requestId = randomUUID()
  return { requestId, version, clientIp: address, ...(notBelieved.length > 0 && { ignoredHeaders: notBelieved }) }
}

/** How an exchange ended. */
export interface ExchangeEnding {
  readonly outcome: 'issued' | 'validated' | Failure['outcome']
  /** Why it did not issue; empty when it did. */
  readonly reason: string
  readonly milliseconds: number
  readonly setting: string | undefined
  readonly requestId: string
}

/** Hears of every exchange that has ended, once: metrics and traces. It never throws, and nobody waits for it. */
export interface ExchangeListener {
  ended(entry: AuditEntry, ending: ExchangeEnding): void
}

/** Writes one line per exchange; resolves when the line has left this process, so that no answer is older than its record. */
export class Recorder {
  readonly #journal: Journal
  readonly #log: Logger
  readonly #listeners: readonly ExchangeListener[]

  constructor(journal: Journal, listeners: readonly ExchangeListener[] = []) {
    this.#journal = journal
    this.#listeners = listeners
    this.#log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' }, journal)
  }

  /** `outcome` is `validated` where only a status was wanted. */
  async issued(
    entry: AuditEntry,
    circumstances: Circumstances,
    duration: number,
    outcome: 'issued' | 'validated' = 'issued',
  ): Promise<void> {
    this.#log.info(lineOf(outcome, entry, circumstances, duration), 'exchange')
    await this.#journal.written()
    // Not before: what could not be recorded is refused.
    this.#tell(entry, { outcome, reason: '', milliseconds: duration, setting: undefined, requestId: circumstances.requestId })
  }

  async refused(entry: AuditEntry, circumstances: Circumstances, duration: number, failure: Failure): Promise<void> {
    const { outcome, internal, body } = failure
    const { reason, setting } = internal
    this.#tell(entry, { outcome, reason, milliseconds: duration, setting, requestId: circumstances.requestId })
    const refusal = { error: body.error, description: body.error_description, ...internal }
    const line = Object.assign(lineOf(outcome, entry, circumstances, duration), { refusal })
    if (outcome === 'failed') this.#log.error(line, 'exchange')
    else this.#log.info(line, 'exchange')
    await this.#journal.written()
  }

  #tell(entry: AuditEntry, ending: ExchangeEnding): void {
    for (const listener of this.#listeners) listener.ended(entry, ending)
  }
}

// Assigned, not spread: an object of several spreads is slow to make, and again to write; together that is 15 µs of an exchange.
function lineOf(outcome: ExchangeEnding['outcome'], entry: AuditEntry, circumstances: Circumstances, duration: number) {
  return Object.assign({}, circumstances, { outcome }, entry.facts, { ms: rounded(duration) })
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
