import { createHash, createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { demand } from './refusal.ts'

/** A request as it came in. */
export interface SignedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Credentials that were issued, by their access key id. */
export type SecretOf = (accessKeyId: string) => { readonly secret: string; readonly token: string; readonly expiresAt: number } | undefined

const authorization =
  /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/(\w+)\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/

/** Verifies a signature of version 4 in the header or in the query, and gives the access key id (AW-30, AW-35). */
export function verifySignature(request: SignedRequest, secretOf: SecretOf, now: number): string {
  const parts = partsOf(request)
  const known = secretOf(parts.accessKeyId)
  demand(known !== undefined, 'InvalidClientTokenId', 'The security token included in the request is invalid')
  demand(now < known.expiresAt, 'ExpiredToken', 'The security token included in the request is expired')
  demand(parts.securityToken === known.token, 'InvalidClientTokenId', 'The security token included in the request is invalid')
  demand(Math.abs(now - instantOf(parts.date)) <= 900, 'SignatureDoesNotMatch', 'Signature expired')
  const scope = `${parts.day}/${parts.region}/${parts.service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', parts.date, scope, sha256(canonical(request, parts))].join('\n')
  const key = [parts.day, parts.region, parts.service, 'aws4_request'].reduce<string | Buffer>(
    (secret, step) => hmac(secret, step),
    `AWS4${known.secret}`,
  )
  demand(hmac(key, text).toString('hex') === parts.signature, 'SignatureDoesNotMatch', 'The request signature we calculated does not match')
  return parts.accessKeyId
}

interface SignatureParts {
  readonly accessKeyId: string
  readonly day: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: string
  readonly signature: string
  readonly date: string
  readonly securityToken: string
}

function partsOf({ headers, url }: SignedRequest): SignatureParts {
  const query = url.searchParams
  const text = query.has('X-Amz-Signature')
    ? `AWS4-HMAC-SHA256 Credential=${query.get('X-Amz-Credential')}, SignedHeaders=${query.get('X-Amz-SignedHeaders')}, Signature=${query.get('X-Amz-Signature')}`
    : (headers.authorization ?? '')
  const [, accessKeyId = '', day = '', region = '', service = '', signedHeaders = '', signature = ''] = authorization.exec(text) ?? []
  demand(signature !== '', 'MissingAuthenticationToken', 'Request is missing Authentication Token')
  const member = (name: string) => query.get(name) ?? String(headers[name.toLowerCase()] ?? '')
  return {
    accessKeyId,
    day,
    region,
    service,
    signedHeaders,
    signature,
    date: member('X-Amz-Date'),
    securityToken: member('X-Amz-Security-Token'),
  }
}

function canonical({ method, url, headers, body }: SignedRequest, { signedHeaders, service }: SignatureParts): string {
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&')
  const names = signedHeaders.split(';')
  const lines = names
    .map(
      name =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}\n`,
    )
    .join('')
  const payload = service === 's3' ? String(headers['x-amz-content-sha256']) : sha256(body)
  return [method, url.pathname, query, lines, signedHeaders, payload].join('\n')
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

function instantOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')) / 1000
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
