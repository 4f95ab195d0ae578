/** Which trace an exchange belongs to (W3C Trace Context §3.2). */
export interface TraceContext {
  readonly traceId: string
  /** The caller's span; undefined where the trace begins here. */
  readonly parentId: string | undefined
  readonly sampled: boolean
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Reads a `traceparent` header; undefined when there is none or it is malformed, as if it had not been sent. */
export function readTraceparent(header: unknown): TraceContext | undefined {
  const [, version, traceId = '', parentId = '', flags = '', more] = (typeof header === 'string' && form.exec(header)) || []
  if (version === undefined || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined
  // Only later versions may have more fields.
  if (version === '00' && more !== undefined) return undefined
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
