import type { Agent } from 'node:https'
import { z } from 'zod'
import { parseOutsidersObject } from '../json.ts'
import type { GuardedAnswer, GuardedFetch } from '../keys/guarded-fetch.ts'
import { TokenRejected } from '../oauth/errors.ts'
import { emptyDigest } from './aws4-request.ts'
import { callerIdentity, type SignedCall, signatureAlgorithm } from './signed-call.ts'

/** Who has signed, as AWS says. */
export interface CallerIdentity {
  readonly arn: string
  readonly userId: string
  readonly account: string
}

/** How AWS is asked. */
export interface AskingSts {
  readonly fetch: GuardedFetch
  readonly agent: Agent
}

// Nothing more and nothing less: an answer of another action has held what its caller wrote there (CVE-2020-16250).
const answerShape = z.strictObject({
  GetCallerIdentityResponse: z.strictObject({
    GetCallerIdentityResult: z.strictObject({
      Account: z.string().regex(/^\d{12}$/),
      Arn: z.string().regex(/^[\x21-\x7e]{20,2048}$/),
      UserId: z.string().regex(/^[\x21-\x7e]{1,256}$/),
    }),
    ResponseMetadata: z.strictObject({ RequestId: z.string() }),
  }),
})
const refusalShape = z.object({ Error: z.object({ Code: z.string().regex(/^[A-Za-z.]{1,64}$/) }) })

// Codes by which AWS says something of itself, and nothing of the request.
const passing = /Throttl|LimitExceeded|TooManyRequests|^(?:InternalFailure|InternalError|ServiceUnavailable|ServerError|RequestTimeout)/

/**
 * Makes the request anew, from nothing but what was taken of the signed one, and sends it (AW-31, AW-33). Throws `TokenRejected` when AWS
 * refuses it, and any other `Error` when it could not be found out.
 */
export async function askCallerIdentity(call: SignedCall, serverId: string, { fetch, agent }: AskingSts): Promise<CallerIdentity> {
  const { method, query, headers } = rebuilt(call, serverId)
  const url = `https://${call.host}/?${query}`
  const answer = await fetch(url, { method, headers, agent, maxBytes: 65_536, ...(method === 'POST' && { body: '' }) })
  const text = await answer.text()
  if (answer.status === 200) return identityIn(text)
  throw refusalIn(answer, text)
}

interface Rebuilt {
  readonly method: 'GET' | 'POST'
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
}

function rebuilt(call: SignedCall, serverId: string): Rebuilt {
  const { host, signatureIn, credential, date, usableFor, signedHeaders, signature, securityToken, binding } = call
  const scope = `${credential.accessKeyId}/${credential.day}/${credential.region}/sts/aws4_request`
  const names = signedHeaders.join(';')
  const common = { host, [binding.header]: serverId, accept: 'application/json' }
  if (signatureIn === 'query') {
    const parameters = {
      ...callerIdentity,
      'X-Amz-Algorithm': signatureAlgorithm,
      'X-Amz-Credential': scope,
      'X-Amz-Date': date,
      'X-Amz-Expires': String(usableFor),
      ...(securityToken !== undefined && { 'X-Amz-Security-Token': securityToken }),
      'X-Amz-SignedHeaders': names,
      'X-Amz-Signature': signature,
    }
    return { method: 'GET', query: queryOf(parameters), headers: common }
  }
  return {
    method: 'POST',
    query: queryOf(callerIdentity),
    headers: {
      ...common,
      authorization: `${signatureAlgorithm} Credential=${scope}, SignedHeaders=${names}, Signature=${signature}`,
      'x-amz-date': date,
      ...(securityToken !== undefined && { 'x-amz-security-token': securityToken }),
      ...(signedHeaders.includes('x-amz-content-sha256') && { 'x-amz-content-sha256': emptyDigest }),
    },
  }
}

/** As the signature has it: RFC 3986, whose reserved characters `encodeURIComponent` does not encode all. None of the values here has one of the rest. */
function queryOf(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
}

function identityIn(text: string): CallerIdentity {
  const { success, data } = answerShape.safeParse(parseOutsidersObject(text))
  if (!success) throw new Error('AWS answered with something else than one identity')
  const { Account, Arn, UserId } = data.GetCallerIdentityResponse.GetCallerIdentityResult
  return { account: Account, arn: Arn, userId: UserId }
}

function refusalIn({ status }: GuardedAnswer, text: string): Error {
  const { data } = refusalShape.safeParse(parseOutsidersObject(text))
  const code = data?.Error.Code
  const isRefusal = (status === 400 || status === 403) && code !== undefined && !passing.test(code)
  return isRefusal
    ? new TokenRejected(`AWS does not take the signed request: ${code}`)
    : new Error(`AWS answered ${status} ${code ?? 'without a reason'}`)
}
