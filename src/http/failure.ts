import { randomUUID } from 'node:crypto'
import { OAuthError, Outage, type RefusalReason, refusals, SaidCause, TokenRejected } from '../oauth/errors.ts'

/** How a failure is answered, and what the record says of it. */
export interface Failure {
  readonly status: number
  readonly body: { readonly error: string; readonly error_description: string }
  readonly headers: Readonly<Record<string, string>>
  readonly outcome: 'refused' | 'unavailable' | 'failed'
  /** For the log: never sent. */
  readonly internal: FailureCause
}

interface FailureCause {
  /** One of a closed list. */
  readonly reason: RefusalReason | 'unavailable' | 'bug'
  /** The setting that decided so. */
  readonly setting?: string
  readonly cause?: string
  readonly outage?: string
  readonly reference?: string
  readonly stack?: string | undefined
}

/**
 * Turns whatever was thrown into an answer: a refusal, an outage (503), or else a bug (500). The only place where that is done.
 * The caller is given `reference` with a bug: that of the request, where it has one that finds its record.
 */
export function failureOf(error: unknown, usedAuthorizationHeader: boolean, reference: string = randomUUID()): Failure {
  if (error instanceof OAuthError) return refusal(error, usedAuthorizationHeader)
  if (error instanceof Outage) return outage(error)
  return bug(error, reference)
}

function refusal(error: OAuthError, usedAuthorizationHeader: boolean): Failure {
  const { error: code, status } = refusals[error.reason]
  // RFC 6749 §5.2: only a client that used the header is challenged; others could not read the error behind a challenge.
  const challenge = status === 401 && usedAuthorizationHeader
  return {
    status,
    body: { error: code, error_description: permitted(error.message) },
    headers: {
      ...(challenge && { 'WWW-Authenticate': 'Basic realm="token", charset="UTF-8"' }),
      ...(error.nonce !== undefined && { 'DPoP-Nonce': error.nonce }),
      ...(error.retryAfter !== undefined && { 'Retry-After': String(error.retryAfter) }),
    },
    outcome: 'refused',
    internal: { reason: error.reason, ...(error.setting !== undefined && { setting: error.setting }), ...causeOf(error) },
  }
}

function outage(error: Outage): Failure {
  return {
    status: 503,
    body: { error: 'temporarily_unavailable', error_description: 'something that this request needs cannot be reached; try again later' },
    headers: { 'Retry-After': String(error.retryAfter) },
    outcome: 'unavailable',
    internal: {
      reason: 'unavailable',
      ...(error.setting !== undefined && { setting: error.setting }),
      outage: error.message,
      ...causeOf(error),
    },
  }
}

function bug(error: unknown, reference: string): Failure {
  return {
    status: 500,
    body: { error: 'server_error', error_description: `an internal error; its reference is ${reference}` },
    headers: {},
    outcome: 'failed',
    internal: { reason: 'bug', reference, stack: error instanceof Error ? error.stack : String(error) },
  }
}

// The messages of libraries may repeat what they were given; their names and codes do not.
function causeOf({ cause }: Error): { cause?: string } {
  // A cause in words is our own, and repeats nothing.
  if (typeof cause === 'string') return { cause }
  if (!(cause instanceof Error)) return {}
  if (cause instanceof SaidCause) return { cause: cause.message }
  // It is what the description says already; what lies behind it may be more.
  if (cause instanceof TokenRejected) return causeOf(cause)
  const code = (cause as NodeJS.ErrnoException).code
  return { cause: code === undefined ? cause.name : `${cause.name} ${code}` }
}

/** The characters of RFC 6749 §5.2 only: no quote, no backslash, nothing outside of ASCII. */
function permitted(description: string): string {
  return description.replaceAll('"', "'").replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}
