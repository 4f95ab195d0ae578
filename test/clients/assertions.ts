import { randomUUID } from 'node:crypto'
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { PresentedCredentials } from '../../src/clients/client.ts'
import type { JsonObject } from '../../src/json.ts'
import { readPublicKeys } from '../../src/keys/public-keys.ts'
import type { IssuerKeys } from '../../src/keys/remote-keys.ts'
import type { SignatureAlgorithm } from '../../src/keys/signing-key.ts'
import { issuer, startOfTime as now } from './client-world.ts'

export { now }
export type Claims = Record<string, unknown>

/** A client's key pair. */
export interface Signer {
  readonly keys: IssuerKeys
  readonly pem: string
  sign(claims?: Claims, header?: Claims): Promise<string>
}

/** Makes a key pair for the client of that id. */
export async function makeSigner(alg: SignatureAlgorithm = 'ES256', id = 'robot'): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'k1' }
  const keys = readPublicKeys({ keys: [jwk] } as unknown as JsonObject, { algorithms: [alg] })
  if (keys === undefined) throw new Error('no keys')
  return {
    keys,
    pem: await exportSPKI(publicKey),
    sign: (claims = {}, header = {}) => new SignJWT(usual(claims, id)).setProtectedHeader({ alg, kid: 'k1', ...header }).sign(privateKey),
  }
}

/** What a well-made assertion says; `undefined` removes a claim. */
export function usual(claims: Claims, id = 'robot'): Claims {
  const all = { iss: id, sub: id, aud: issuer, exp: now + 60, iat: now, jti: randomUUID(), ...claims }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** A JWS of whatever parts. */
export function byHand(header: Claims, claims: Claims | string, signature = 'c2ln'): string {
  const encode = (value: Claims | string) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  return `${encode(header)}.${encode(claims)}.${signature}`
}

/** The assertion as a client presents it. */
export function assertion(text: string, clientId?: string): PresentedCredentials {
  return { method: 'private_key_jwt', clientId, assertion: text }
}
