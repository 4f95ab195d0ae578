import { hash } from 'node:crypto'
import type { JsonObject } from '../json.ts'

// In the order in which the thumbprint has them.
const required = ['crv', 'e', 'kty', 'n', 'x', 'y']

/** The SHA-256 thumbprint of a public key in its normal form (RFC 7638 §3, RFC 8037 §2). */
export function thumbprintOf(jwk: JsonObject): string {
  const members = required.filter(name => jwk[name] !== undefined).map(name => [name, jwk[name]])
  return hash('sha256', JSON.stringify(Object.fromEntries(members)), 'base64url')
}
