import { randomBytes } from 'node:crypto'
import type { AuditEntry } from '../audit-entry.ts'
import type { ExchangeEnding, ExchangeListener } from '../record.ts'
import type { OtlpExporter } from './otlp-exporter.ts'
import { readTraceparent, type TraceContext } from './trace-context.ts'

/** Decides which exchanges are traced, and hands those over when they have ended; the others cost nothing. */
export class Tracer implements ExchangeListener {
  readonly #exporter: Pick<OtlpExporter, 'add'> | undefined
  readonly #sampling: number

  /** Without an exporter, it only finds out to which trace of the caller an exchange belongs. */
  constructor(exporter?: Pick<OtlpExporter, 'add'>, sampling = 0) {
    this.#exporter = exporter
    this.#sampling = sampling
  }

  /** The trace of a request with this `traceparent`. The caller's decision to sample holds; where he made none, it is a share of all. */
  begin(traceparent: unknown): TraceContext | undefined {
    const given = traceparent === undefined ? undefined : readTraceparent(traceparent)
    if (given !== undefined) return given
    if (this.#exporter === undefined || Math.random() >= this.#sampling) return undefined
    return { traceId: randomBytes(16).toString('hex'), parentId: undefined, sampled: true }
  }

  ended(entry: AuditEntry, ending: ExchangeEnding): void {
    if (entry.trace?.sampled === true) this.#exporter?.add(entry, ending)
  }
}
