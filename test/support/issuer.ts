import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** A foreign issuer of JWTs with a key of its own. */
export interface Issuer {
  readonly issuer: string
  readonly jwks: { keys: JWK[] }
  /** Signs a token; `claims` replace the usual ones, and `undefined` removes one. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
}

/** Makes an issuer whose usual token is for `audience`. */
export async function makeIssuer(issuer: string, audience: string, alg = 'ES256'): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return {
    issuer,
    jwks: { keys: [{ ...jwk, kid, alg, use: 'sig' }] },
    async sign(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const usual = {
        iss: issuer,
        sub: 'alice',
        aud: audience,
        iat: now,
        exp: now + 600,
        jti: randomUUID(),
        email: 'alice@example.com',
        groups: ['app-orders'],
      }
      const all = Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined))
      return new SignJWT(all).setProtectedHeader({ alg, kid, typ: 'JWT', ...header }).sign(privateKey)
    },
  }
}
