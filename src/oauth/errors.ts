/**
 * Every reason for which we refuse, and what the standards call it on the wire. This is the only place where a failure
 * gets its code: a stage throws the reason (RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 8707 §2, RFC 9396 §5, RFC 9449 §5);
 * what WS-Trust calls it, `sts/faults.ts` says.
 */
export const refusals = {
  'malformed-request': { error: 'invalid_request', status: 400 },
  'several-client-authentications': { error: 'invalid_request', status: 400 },
  'client-not-authenticated': { error: 'invalid_client', status: 401 },
  'too-many-attempts': { error: 'invalid_client', status: 429 },
  'authentication-busy': { error: 'temporarily_unavailable', status: 429 },
  'unknown-grant': { error: 'unsupported_grant_type', status: 400 },
  'client-disabled': { error: 'unauthorized_client', status: 400 },
  'exchange-not-enabled': { error: 'unauthorized_client', status: 400 },
  'token-of-another-client': { error: 'unauthorized_client', status: 400 },
  'no-policy': { error: 'unauthorized_client', status: 400 },
  'no-mapping': { error: 'invalid_request', status: 400 },
  'type-not-available': { error: 'invalid_request', status: 400 },
  'target-unknown': { error: 'invalid_target', status: 400 },
  'target-missing': { error: 'invalid_target', status: 400 },
  'target-not-allowed': { error: 'invalid_target', status: 400 },
  'subject-token-rejected': { error: 'invalid_request', status: 400 },
  'actor-token-rejected': { error: 'invalid_request', status: 400 },
  'delegation-refused': { error: 'invalid_request', status: 400 },
  'contract-not-met': { error: 'invalid_request', status: 400 },
  'lookup-found-nothing': { error: 'invalid_request', status: 400 },
  'lookup-found-several': { error: 'invalid_request', status: 400 },
  'expression-failed': { error: 'invalid_request', status: 400 },
  'criterion-failed': { error: 'invalid_request', status: 400 },
  'scope-not-available': { error: 'invalid_scope', status: 400 },
  'no-lifetime-left': { error: 'invalid_request', status: 400 },
  'descent-too-long': { error: 'invalid_request', status: 400 },
  'aws-role-refused': { error: 'invalid_target', status: 400 },
  'aws-request-refused': { error: 'invalid_request', status: 400 },
  'answer-not-acceptable': { error: 'invalid_request', status: 406 },
  'already-used': { error: 'invalid_request', status: 400 },
  'ws-trust-not-enabled': { error: 'unauthorized_client', status: 400 },
  'connection-not-available': { error: 'unauthorized_client', status: 400 },
  'not-soap': { error: 'invalid_request', status: 415 },
  'soap-version-mismatch': { error: 'invalid_request', status: 400 },
  'header-not-understood': { error: 'invalid_request', status: 400 },
  'reply-address-refused': { error: 'invalid_request', status: 400 },
  'message-expired': { error: 'invalid_request', status: 400 },
  'security-header-refused': { error: 'invalid_request', status: 400 },
  'security-token-unsupported': { error: 'invalid_request', status: 400 },
  'request-not-understood': { error: 'invalid_request', status: 400 },
  'operation-not-available': { error: 'invalid_request', status: 400 },
  'time-range-refused': { error: 'invalid_request', status: 400 },
  'dpop-proof-refused': { error: 'invalid_dpop_proof', status: 400 },
  'dpop-nonce-needed': { error: 'use_dpop_nonce', status: 400 },
  'dpop-proof-missing': { error: 'invalid_dpop_proof', status: 400 },
  'certificate-missing': { error: 'invalid_request', status: 400 },
  'binding-not-available': { error: 'invalid_request', status: 400 },
  'authorization-details-not-supported': { error: 'invalid_authorization_details', status: 400 },
} as const satisfies Record<string, { error: string; status: number }>

/** The name of one reason to refuse; it stands in the audit record. */
export type RefusalReason = keyof typeof refusals

interface RefusalDetails {
  /** What the log may know and the client must not. */
  cause?: unknown
  /** The setting that decided so (`clients/orders.json scopes`), for the log and for explanations; absent where only another request helps. */
  setting?: string | undefined
  /** Seconds after which another attempt may succeed. */
  retryAfter?: number
  /** What the next DPoP proof has to bring (RFC 9449 §8). */
  nonce?: string
}

/** We refuse and may say so: code and description go to the client, the cause stays in the log. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly reason: RefusalReason
  readonly setting: string | undefined
  readonly retryAfter: number | undefined
  readonly nonce: string | undefined

  constructor(reason: RefusalReason, description: string, details: RefusalDetails = {}) {
    super(description, { cause: details.cause })
    this.reason = reason
    this.setting = details.setting
    this.retryAfter = details.retryAfter
    this.nonce = details.nonce
  }
}

/** This token proves nothing. Thrown by processors, turned into a refusal in one place (`exchange/process-tokens.ts`). */
export class TokenRejected extends Error {
  override readonly name = 'TokenRejected'
  readonly member: string | undefined

  /**
   * `description` goes to the client: it says what is wrong with the token, and never repeats any of it. `member` is the one of the
   * processor's file that decided so, where one did.
   */
  constructor(description: string, { cause, member }: { cause?: unknown; member?: string } = {}) {
    super(description, { cause })
    this.member = member
  }
}

/** A cause that says in words of ours what is wrong elsewhere, and repeats nothing that anybody has sent: the log has it whole. */
export class SaidCause extends Error {}

/**
 * Something that this exchange needs could not be asked: a store, a key server, another authorization server.
 * Never the caller's fault; answered with 503 `temporarily_unavailable` (`http/failure.ts`).
 */
export class Outage extends Error {
  override readonly name = 'Outage'
  readonly retryAfter: number
  /** The setting by which this exchange cannot do without it, where one decides that. */
  readonly setting: string | undefined

  constructor(what: string, cause?: unknown, retryAfter = 5, setting?: string) {
    super(what, { cause })
    this.retryAfter = retryAfter
    this.setting = setting
  }
}
