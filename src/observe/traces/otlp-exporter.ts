import type { Logger } from 'pino'
import type { JsonObject } from '../../json.ts'
import type { AuditEntry } from '../audit-entry.ts'
import type { ExchangeEnding } from '../record.ts'
import { attribute, exchangeSpans } from './exchange-spans.ts'

/** Where traces go. */
export interface OtlpOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  readonly log: Logger
  /** Milliseconds between two batches. */
  readonly pause?: number
}

interface Ended {
  readonly entry: AuditEntry
  readonly ending: ExchangeEnding
}

const limits = { waiting: 2_048, batch: 256, answer: 5_000, betweenComplaints: 60_000 }

/**
 * Sends traces to a collector by OTLP over HTTP, as JSON, in batches. No exchange waits for it, and none fails with it: what the collector
 * does not take in time is dropped, which the log says once a minute.
 */
export class OtlpExporter {
  readonly #options: OtlpOptions
  #waiting: Ended[] = []
  #underWay: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #dropped = 0
  #nextComplaint = Number.NEGATIVE_INFINITY

  constructor(options: OtlpOptions) {
    this.#options = options
  }

  /** Takes an exchange that has ended. */
  add(entry: AuditEntry, ending: ExchangeEnding): void {
    if (this.#waiting.length >= limits.waiting) {
      this.#dropped++
      return
    }
    this.#waiting.push({ entry, ending })
    this.#timer ??= setTimeout(() => this.#tick(), this.#options.pause ?? 2_000).unref()
  }

  /** Sends what is left, and gives up when it takes too long. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#underWay
    await this.#sendAll()
  }

  #tick(): void {
    this.#underWay ??= this.#sendAll().finally(() => {
      this.#timer = undefined
      this.#underWay = undefined
      // They came while others were sent.
      if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#tick(), this.#options.pause ?? 2_000).unref()
    })
  }

  /** Until nothing is left, or the collector does not take it. */
  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, limits.batch)
      this.#waiting = this.#waiting.slice(limits.batch)
      try {
        await this.#send(batch)
      } catch (error) {
        this.#dropped += batch.length
        this.#complain(error)
        return
      }
    }
  }

  async #send(batch: readonly Ended[]): Promise<void> {
    const { url, headers, serviceName } = this.#options
    const epoch = Date.now() - performance.now()
    const spans = batch.flatMap(({ entry, ending }) => exchangeSpans(entry, ending, epoch) as JsonObject[])
    const resource = { attributes: [attribute('service.name', serviceName), attribute('process.pid', String(process.pid))] }
    const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'cambist' }, spans }] }] })
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      // It would be sent the headers as well.
      redirect: 'error',
      signal: AbortSignal.timeout(limits.answer),
    })
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`the collector answered ${answer.status}`)
  }

  #complain(error: unknown): void {
    if (performance.now() < this.#nextComplaint) return
    this.#nextComplaint = performance.now() + limits.betweenComplaints
    this.#options.log.warn({ err: error, dropped: this.#dropped }, 'traces could not be sent')
    this.#dropped = 0
  }
}
