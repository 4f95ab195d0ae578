import type { GuardedFetch } from '../keys/guarded-fetch.ts'
import { OAuthError, Outage } from '../oauth/errors.ts'
import type { RoleCredentials, StsRefusal } from './sts-answer.ts'
import { readCredentials, readRefusal } from './sts-answer.ts'

/** Where and how AWS's security token service is asked. */
export interface StsEndpoint {
  readonly url: string
  readonly allowPrivateNetwork: boolean
}

/** The parameters of a request to AWS: `Action`, `RoleArn` and others (AW-1). */
export type StsParameters = Readonly<Record<string, string>>

/** Asks AWS for the credentials of a role (AW-1, AW-5, AW-6). Nobody authenticates there: what is shown of the subject is the proof. */
export async function assumeRole(endpoint: StsEndpoint, parameters: StsParameters, fetch: GuardedFetch): Promise<RoleCredentials> {
  const { status, text } = await send(endpoint, parameters, fetch)
  const credentials = status === 200 ? readCredentials(text, parameters.Action ?? '') : undefined
  if (credentials !== undefined) return credentials
  const refusal = status >= 400 && status < 500 ? readRefusal(text) : undefined
  // What was not understood says nothing of the request: a proxy on the way, or AWS itself out of order.
  if (refusal === undefined) throw new Outage(`AWS answered ${status}, which holds neither credentials nor a refusal`)
  throw refused(refusal)
}

async function send({ url, allowPrivateNetwork }: StsEndpoint, parameters: StsParameters, fetch: GuardedFetch) {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', accept: 'text/xml' },
      body: new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString(),
      allowPrivateNetwork,
      maxBytes: 65_536,
    })
    return { status: answer.status, text: await answer.text() }
  } catch (error) {
    throw new Outage('AWS cannot be asked for credentials now', error)
  }
}

// Its own troubles, and those with reading our issuer's documents (AW-24).
const passing = new Set([
  ...['Throttling', 'ThrottlingException', 'ThrottledException', 'RequestLimitExceeded', 'TooManyRequestsException', 'RequestThrottled'],
  ...['IDPCommunicationError', 'InternalFailure', 'ServiceUnavailable', 'RequestTimeout', 'RequestTimeoutException'],
])
// The role is there or not, and may be assumed or not, whatever else the request says.
const ofTheRole = new Set(['AccessDenied', 'AccessDeniedException', 'RegionDisabledException', 'IDPRejectedClaim', 'NoSuchEntity'])

function refused({ code, requestId }: StsRefusal): Error {
  const request = requestId === undefined ? 'AWS gave its request no id' : `the request of AWS is ${requestId}`
  if (passing.has(code)) return new Outage(`AWS answered ${code}; ${request}`, undefined, code.startsWith('IDP') ? 5 : 10)
  const reason = ofTheRole.has(code) ? 'aws-role-refused' : 'aws-request-refused'
  return new OAuthError(reason, `AWS issues no credentials: ${code}`, { cause: request })
}
