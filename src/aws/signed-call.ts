import { TokenRejected } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'

/** A request `GetCallerIdentity` that somebody has signed and not sent (AW-31): what is taken of it, and nothing more. */
export interface SignedCall {
  readonly host: string
  /** Where the signature stood: in the header Authorization of a `POST`, or in the address of a `GET`. */
  readonly signatureIn: 'header' | 'query'
  readonly credential: Credential
  /** `X-Amz-Date` as it is written, and as an instant. */
  readonly date: string
  readonly signedAt: Instant
  /** Seconds for which the signer lets an address be used. */
  readonly usableFor: number | undefined
  readonly signedHeaders: readonly string[]
  readonly signature: string
  readonly securityToken: string | undefined
  /** The signed header that says for which server the request was made; in an address it has no value. */
  readonly binding: { readonly header: string; readonly value: string | undefined }
}

/** Whose key signed, and for which day and region: the scope of a signature (AWS Signature Version 4). */
export interface Credential {
  readonly accessKeyId: string
  readonly day: string
  readonly region: string
}

/** The action and its version, written as they are sent. */
export const callerIdentity = { Action: 'GetCallerIdentity', Version: '2011-06-15' } as const

/** The one algorithm. */
export const signatureAlgorithm = 'AWS4-HMAC-SHA256'

/** The most seconds before or after which AWS takes a signature (AW-34). */
export const signatureSeconds = 900

// By Google's clients, by those of Kubernetes, and by ours.
const bindingHeaders = ['x-goog-cloud-target-resource', 'x-k8s-aws-id', 'x-cambist-server-id']

/** The refusal of what is not a request as it has to be. */
export function notACall(what: string): TokenRejected {
  return new TokenRejected(`the signed request is not acceptable: ${what}`)
}

/** `AKIDEXAMPLE/20260131/eu-central-1/sts/aws4_request`. */
export function readCredential(text: string): Credential {
  const [, accessKeyId = '', day = '', region = ''] = /^([A-Z0-9]{16,128})\/(\d{8})\/([a-z0-9-]{1,32})\/sts\/aws4_request$/.exec(text) ?? []
  if (region === '') throw notACall('its credential is not one for AWS STS')
  return { accessKeyId, day, region }
}

/** `20260131T235959Z`, on the day that the credential is for. */
export function readDate(text: string, { day }: Credential): Instant {
  const [, year, month, date, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  const iso = `${year}-${month}-${date}T${hour}:${minute}:${second}`
  const milliseconds = Date.parse(`${iso}Z`)
  // The thirtieth of February is parsed as the second of March.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString().slice(0, 19) !== iso) throw notACall('X-Amz-Date is not a time')
  if (!text.startsWith(day)) throw notACall('its credential is for another day than X-Amz-Date')
  return milliseconds / 1000
}

/** The names of the signed headers: in order, each once, `host` among them. */
export function readSignedHeaders(text: string): readonly string[] {
  const names = text.split(';')
  const inOrder = names.every((name, index) => /^[a-z0-9-]{1,64}$/.test(name) && (index === 0 || (names[index - 1] ?? '') < name))
  if (!inOrder) throw notACall('its list of signed headers is not in order')
  if (!names.includes('host')) throw notACall('host is not signed')
  return names
}

/** The one header that binds the request to a server (AW-32): without it a request that was made for somebody else would be good here. */
export function bindingAmong(names: readonly string[]): string {
  const [header, ...others] = names.filter(name => bindingHeaders.includes(name))
  if (header === undefined) throw notACall('no header is signed that says for which server it was made')
  if (others.length > 0) throw notACall('several headers say for which server it was made')
  return header
}

/** 64 hexadecimal digits, written in one way only: a second spelling would be a second use. */
export function readSignature(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw notACall('its signature is not one')
  return text
}

/** The token of temporary credentials. */
export function readSecurityToken(text: string | undefined): string | undefined {
  if (text !== undefined && !/^[A-Za-z0-9+/=_-]{1,8192}$/.test(text)) throw notACall('its security token is not one')
  return text
}
