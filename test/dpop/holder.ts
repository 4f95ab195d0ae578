import { randomUUID } from 'node:crypto'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { issuer, secretOf } from '../support/configuration.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { type Answer, basic, encodeForm, type Parameters } from '../support/running-server.ts'
import type { Claims, World } from '../support/world.ts'

/** Where proofs of the tests are for. */
export const tokenEndpoint = `${issuer}/token`

/** Somebody who holds a key, made with `jose`. */
export class Holder {
  readonly algorithm: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
  /** RFC 7638 thumbprint. */
  readonly jkt: string

  private constructor(algorithm: string, privateKey: CryptoKey, jwk: JWK, jkt: string) {
    this.algorithm = algorithm
    this.privateKey = privateKey
    this.jwk = jwk
    this.jkt = jkt
  }

  static async make(algorithm = 'ES256', options: object = {}): Promise<Holder> {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true, ...options })
    const jwk = await exportJWK(publicKey)
    return new Holder(algorithm, privateKey, jwk, await calculateJwkThumbprint(jwk))
  }

  /** A proof for the token endpoint at this time; `undefined` takes a member away. */
  proof(now: number, claims: Claims = {}, header: Claims = {}): Promise<string> {
    const usual = { jti: randomUUID(), htm: 'POST', htu: tokenEndpoint, iat: Math.floor(now) }
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: this.algorithm, jwk: this.jwk, ...header })
      .sign(this.privateKey)
  }
}

/** The headers of a request of the client with this proof. */
export function headersWith(proof: string | undefined, client = 'gateway'): Record<string, string> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: basic(client, secretOf(client)) }
  return proof === undefined ? headers : { ...headers, dpop: proof }
}

/** The form of an exchange of a person's token, unless the parameters bring another one. */
export async function formOf(at: World, parameters: Parameters = {}): Promise<string> {
  const subject = 'subject_token' in parameters ? {} : { subject_token: await at.person() }
  return encodeForm({ grant_type: tokenExchange, subject_token_type: types.jwt, ...subject, ...parameters })
}

/** An exchange with this proof. */
export async function exchangeWith(at: World, proof: string | undefined, parameters: Parameters = {}, client?: string): Promise<Answer> {
  return at.server.request('POST', '/token', await formOf(at, parameters), headersWith(proof, client))
}
