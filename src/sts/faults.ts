import type { Failure } from '../http/failure.ts'
import type { RefusalReason } from '../oauth/errors.ts'
import type { SoapVersion } from './names.ts'

/** What a fault is called: by SOAP itself, WS-Addressing, WS-Security (and its utilities), or WS-Trust. */
export interface Fault {
  readonly of: 'soap' | 'wsa' | 'wsse' | 'wsu' | 'wst'
  readonly name: string
  /** The text that the standard has for it (WT-31), or one like it. */
  readonly text: string
}

const invalid: Fault = { of: 'wst', name: 'InvalidRequest', text: 'The request was invalid or malformed' }
const failed: Fault = { of: 'wst', name: 'RequestFailed', text: 'The specified request failed' }
const notUnderstood: Fault = { of: 'wst', name: 'BadRequest', text: 'The specified RequestSecurityToken is not understood' }
const outOfScope: Fault = { of: 'wst', name: 'InvalidScope', text: 'The request scope is invalid or unsupported' }
const tokenRejected: Fault = { of: 'wst', name: 'FailedAuthentication', text: 'Authentication failed' }
const callerRejected: Fault = {
  of: 'wsse',
  name: 'FailedAuthentication',
  text: 'The security token could not be authenticated or authorized',
}
const insecure: Fault = { of: 'wsse', name: 'InvalidSecurity', text: 'An error was discovered processing the <wsse:Security> header' }

/** What each refusal is called by WS-Trust 1.3 §11, WS-Security §12, WS-Addressing SOAP Binding §6.4 and SOAP itself. The only place that says so. */
const faults: Readonly<Record<RefusalReason | 'unavailable' | 'bug', Fault>> = {
  'not-soap': { of: 'soap', name: 'Sender', text: 'The message is not SOAP' },
  'soap-version-mismatch': { of: 'soap', name: 'VersionMismatch', text: 'The version of SOAP is not supported' },
  'header-not-understood': { of: 'soap', name: 'MustUnderstand', text: 'A mandatory header was not understood' },
  'reply-address-refused': { of: 'wsa', name: 'OnlyAnonymousAddressSupported', text: 'Only the anonymous address is supported' },
  'message-expired': { of: 'wsu', name: 'MessageExpired', text: 'The message has expired' },
  'security-header-refused': insecure,
  'security-token-unsupported': { of: 'wsse', name: 'UnsupportedSecurityToken', text: 'An unsupported token was provided' },
  'malformed-request': invalid,
  'several-client-authentications': invalid,
  'client-not-authenticated': callerRejected,
  'too-many-attempts': callerRejected,
  'authentication-busy': failed,
  'client-disabled': failed,
  'ws-trust-not-enabled': failed,
  'connection-not-available': failed,
  'exchange-not-enabled': failed,
  'unknown-grant': notUnderstood,
  'token-of-another-client': failed,
  'no-policy': failed,
  'no-mapping': invalid,
  'request-not-understood': notUnderstood,
  'operation-not-available': failed,
  'type-not-available': notUnderstood,
  'target-unknown': outOfScope,
  'target-missing': outOfScope,
  'target-not-allowed': outOfScope,
  'time-range-refused': { of: 'wst', name: 'InvalidTimeRange', text: 'The requested time range is invalid or unsupported' },
  'subject-token-rejected': tokenRejected,
  'actor-token-rejected': tokenRejected,
  'already-used': tokenRejected,
  'no-lifetime-left': { of: 'wst', name: 'ExpiredData', text: 'The request data is out-of-date' },
  'delegation-refused': failed,
  'contract-not-met': failed,
  'lookup-found-nothing': failed,
  'lookup-found-several': failed,
  'expression-failed': failed,
  'criterion-failed': failed,
  'scope-not-available': outOfScope,
  'descent-too-long': failed,
  'aws-role-refused': failed,
  'aws-request-refused': failed,
  'answer-not-acceptable': failed,
  'dpop-proof-refused': failed,
  'dpop-nonce-needed': failed,
  'dpop-proof-missing': failed,
  'certificate-missing': callerRejected,
  'binding-not-available': failed,
  'authorization-details-not-supported': failed,
  unavailable: failed,
  bug: failed,
}

/** The fault of a failure. */
export function faultOf({ internal }: Pick<Failure, 'internal'>): Fault {
  return faults[internal.reason]
}

/** The name of the fault by which a refusal is answered, with its usual prefix: `wst:FailedAuthentication`. */
export function faultNameOf(reason: RefusalReason): string {
  const { of, name } = faults[reason]
  return `${of}:${name}`
}

/** Whether the one who asked is to blame, and can do something about it. */
export function isSendersFault({ outcome }: Pick<Failure, 'outcome'>): boolean {
  return outcome === 'refused'
}

/**
 * The status of the answer. SOAP 1.1 §6.2: every fault is a 500, whoever is to blame. SOAP 1.2 tells them apart, and HTTP itself has words
 * for a few.
 */
export function statusOfFault(soap: SoapVersion, { status, headers, internal }: Pick<Failure, 'status' | 'headers' | 'internal'>): number {
  if (headers['WWW-Authenticate'] !== undefined || status === 503 || internal.reason === 'not-soap') return status
  return soap === '1.1' || status === 500 ? 500 : 400
}
