import { createHmac, createPrivateKey, sign } from 'node:crypto'

/** Base64url of a JSON value, or of a text as it is. */
export function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** A compact JWS with whatever header, claims and signature. */
export function compact(header: unknown, claims: unknown, signature: (signingInput: string) => string): string {
  const signingInput = `${encode(header)}.${encode(claims)}`
  return `${signingInput}.${signature(signingInput)}`
}

/** Signs ES256 with a private key that a configuration has as PEM. */
export function byPem(pem: unknown): (signingInput: string) => string {
  const key = createPrivateKey(String(pem))
  return signingInput => sign('sha256', Buffer.from(signingInput), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

/** "Signs" HS256. */
export function byHmac(secret: string | Buffer): (signingInput: string) => string {
  return signingInput => createHmac('sha256', secret).update(signingInput).digest('base64url')
}

/** The same token with one member of its claims changed, under the old signature. */
export function tampered(token: string, claims: Record<string, unknown>): string {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims }
  return `${header}.${encode(changed)}.${signature}`
}
