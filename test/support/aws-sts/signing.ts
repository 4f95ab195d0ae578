import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Caller } from './caller-identity.ts'

/** What is signed, by those who sign for AWS themselves: the SDK for JavaScript. */
export interface Signing {
  readonly caller: Caller
  readonly region?: string
  readonly host?: string
  readonly date: Date
  /** Headers that are signed beside those of AWS. */
  readonly headers?: Record<string, string>
}

class Sha256 {
  readonly #hash: Hash | Hmac
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', Buffer.from(secret as Uint8Array))
  }
  update(data: Uint8Array | string): void {
    this.#hash.update(data)
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
  reset(): void {}
}

function signerFor({ caller, region = 'eu-central-1' }: Signing): SignatureV4 {
  const { accessKeyId, secretAccessKey, sessionToken } = caller
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
  return new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 as never })
}

const query = { Action: 'GetCallerIdentity', Version: '2011-06-15' }

function hostOf({ host, region = 'eu-central-1' }: Signing): string {
  return host ?? `sts.${region}.amazonaws.com`
}

/** One header, as Google's clients write it. */
export interface Header {
  key: string
  value: string
}

/** A request in the format of Google's clients, before it is written as text. */
export interface Aws4Request {
  url: string
  method: string
  headers: Header[]
}

/** Signs a `POST` and writes it in the format of Google's clients. */
export async function signedRequest(signing: Signing): Promise<Aws4Request> {
  const hostname = hostOf(signing)
  const headers = { host: hostname, ...signing.headers }
  const request = { method: 'POST', protocol: 'https:', hostname, path: '/', query, headers }
  const signed = await signerFor(signing).sign(request, { signingDate: signing.date })
  return {
    url: `https://${hostname}?Action=GetCallerIdentity&Version=2011-06-15`,
    method: 'POST',
    headers: Object.entries(signed.headers).map(([key, value]) => ({ key, value })),
  }
}

/** The value of `subject_token`. */
export function encodeRequest(request: unknown): string {
  return encodeURIComponent(JSON.stringify(request))
}

/** Signs an address. */
export async function presignedUrl({ expires = 60, ...signing }: Signing & { expires?: number }): Promise<string> {
  const hostname = hostOf(signing)
  const headers = { host: hostname, ...signing.headers }
  const request = { method: 'GET', protocol: 'https:', hostname, path: '/', query, headers }
  const options = { signingDate: signing.date, expiresIn: expires, unhoistableHeaders: new Set(Object.keys(headers)) }
  const signed = await signerFor(signing).presign(request, options)
  const parameters = Object.entries(signed.query ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
  return `https://${hostname}/?${parameters.join('&')}`
}

/** The address as clients of Kubernetes write it. */
export function kubernetesToken(url: string): string {
  return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`
}
