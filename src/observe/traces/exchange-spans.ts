import { randomBytes } from 'node:crypto'
import type { JsonObject } from '../../json.ts'
import type { AuditEntry } from '../audit-entry.ts'
import type { ExchangeEnding } from '../record.ts'
import type { TimedLookup } from './timed-lookup.ts'
import type { TraceContext } from './trace-context.ts'

const kind = { internal: 1, server: 2, client: 3 }
const errorStatus = 2

/**
 * The spans of an exchange that has ended, in OTLP's JSON: one of the whole, one of each step, and one of each lookup. They name what is
 * configured, and nothing of tokens, subjects and what was asked and found. `epoch` is when the process's clock said 0, in milliseconds since 1970.
 */
export function exchangeSpans(entry: AuditEntry, ending: ExchangeEnding, epoch: number): readonly JsonObject[] {
  const { trace, times } = entry
  if (trace === undefined) return []
  const whole = newId()
  const end = times.started + ending.milliseconds
  const root = {
    ...span(trace, whole, trace.parentId, 'exchange', kind.server, epoch + times.started, epoch + end),
    attributes: attributesOf(entry, ending),
    // A refusal is what the server is for.
    ...(['unavailable', 'failed'].includes(ending.outcome) && { status: { code: errorStatus, message: ending.reason } }),
  }
  const ids = times.ends.map(newId)
  const steps = times.all.map(({ step, from, to }, index) => {
    return span(trace, ids[index] as string, whole, step, kind.internal, epoch + from, epoch + to)
  })
  const { current } = times
  if (current !== undefined) {
    const id = newId()
    ids.push(id)
    const from = times.ends.at(-1) ?? times.started
    const last = span(trace, id, whole, current, kind.internal, epoch + from, epoch + Math.max(from, end))
    steps.push({ ...last, status: { code: errorStatus, message: ending.reason } })
  }
  return [root, ...steps, ...entry.lookups.map(lookup => lookupSpan(trace, ids[lookup.within] ?? whole, lookup, epoch))]
}

function lookupSpan(trace: TraceContext, step: string, lookup: TimedLookup, epoch: number): JsonObject {
  const { name, store, outcome, answer, from, to } = lookup
  const about = { lookup: name, data_store: store.id, data_store_type: store.type, outcome, answer }
  return {
    ...span(trace, newId(), step, 'lookup', answer === 'asked' ? kind.client : kind.internal, epoch + from, epoch + to),
    attributes: attributes(about),
    ...((outcome === 'down' || outcome === 'unfit') && { status: { code: errorStatus, message: outcome } }),
  }
}

function span(
  { traceId }: TraceContext,
  spanId: string,
  parentSpanId: string | undefined,
  name: string,
  kind: number,
  from: number,
  to: number,
): JsonObject {
  const parent = parentSpanId === undefined ? {} : { parentSpanId }
  return { traceId, spanId, ...parent, name, kind, startTimeUnixNano: nanoseconds(from), endTimeUnixNano: nanoseconds(to) }
}

function attributesOf({ facts }: AuditEntry, { outcome, reason, setting, requestId }: ExchangeEnding): JsonObject[] {
  const { client, policy, mapping, target } = facts
  return attributes({ client, policy, mapping, target, outcome, reason: reason || undefined, setting, request_id: requestId })
}

function attributes(values: Readonly<Record<string, string | undefined>>): JsonObject[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [attribute(`cambist.${name}`, value)]))
}

/** An attribute in OTLP's JSON. */
export function attribute(key: string, stringValue: string): JsonObject {
  return { key, value: { stringValue } }
}

// A text: nanoseconds since 1970 are more than a number can count.
function nanoseconds(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1000)) * 1000n)
}

function newId(): string {
  return randomBytes(8).toString('hex')
}
