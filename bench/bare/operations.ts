import { hash, randomBytes, sign } from 'node:crypto'
import { join } from 'node:path'
import { open } from 'lmdb'
import { type Algorithm, algorithmOf, type Exchange, exchanges, isSaml, names, privateKey } from '../material.ts'
import { assertionChecker, assertionMaker } from './saml-operations.ts'
import { verifier } from './verifier.ts'

/** The operations of one exchange that nothing can leave out, called bare, on nothing but the subject token. */
export interface BareOperations {
  /** Resolves to the new token. */
  exchange(subjectToken: string): string | Promise<string>
  /** The same without what is not cryptography. */
  cryptography(subjectToken: string): string
}

/** Each exchange's operations, by the path at which a bare server answers it. */
export function bareOperations(folder: string): Map<string, BareOperations> {
  const store = open<string>(join(folder, 'bare-store'), { encoding: 'string' })
  const keep = (token: string) => store.put(hash('sha256', token, 'base64url'), claims('reference'))
  return new Map(exchanges.map(exchange => [pathOf(exchange), operationsOf(folder, exchange, keep)]))
}

/** Where a bare server answers: it reads nothing but the subject token, so the path says what is wanted. */
export function pathOf({ inbound, outbound }: Exchange): string {
  return `/token/${inbound}-${outbound}`
}

/** The subject token in a form, found as cheaply as possible. */
export function subjectTokenIn(body: string): string {
  const start = body.indexOf('subject_token=') + 'subject_token='.length
  return body.slice(start, body.indexOf('&', start))
}

/** An answer as RFC 8693 wants it. */
export function answerWith(token: string): string {
  return JSON.stringify({
    access_token: token,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 600,
    scope: names.scopes[0],
  })
}

function operationsOf(folder: string, { inbound, outbound }: Exchange, keep: (token: string) => Promise<boolean>): BareOperations {
  const check = isSaml(inbound) ? assertionChecker(folder, algorithmOf(inbound)) : checker(folder, inbound)
  const make = maker(folder, outbound)
  const cryptography = (subjectToken: string) => {
    check(subjectToken)
    return make()
  }
  if (outbound !== 'reference') return { cryptography, exchange: cryptography }
  return {
    cryptography,
    async exchange(subjectToken) {
      const token = cryptography(subjectToken)
      // Resolves after the flush, as the server's own writes do; lmdb commits those of concurrent requests together.
      await keep(token)
      return token
    },
  }
}

function maker(folder: string, outbound: Exchange['outbound']): () => string {
  if (outbound === 'reference') return () => randomBytes(32).toString('base64url')
  return isSaml(outbound) ? assertionMaker(folder, algorithmOf(outbound)) : signer(folder, outbound)
}

/** Verifies a JWT of the foreign issuer. */
export function checker(folder: string, algorithm: Algorithm): (token: string) => void {
  const genuine = verifier(folder, algorithm)
  return token => {
    const dot = token.lastIndexOf('.')
    const signature = Buffer.from(token.slice(dot + 1), 'base64url')
    if (!genuine(Buffer.from(token.slice(0, dot), 'latin1'), signature)) throw new Error('not genuine')
  }
}

/** Signs the claims of the new token. */
export function signer(folder: string, algorithm: Algorithm): () => string {
  const keyAndOptions = { key: privateKey(folder, 'own', algorithm), dsaEncoding: 'ieee-p1363' } as const
  const header = { alg: algorithm, typ: 'at+jwt', kid: 'u6ZfOP7UkZTqZ4S1Wn0p0cVnQmJ0b3a3Vw5o1cYkQbE', atm: algorithm }
  const encodedHeader = Buffer.from(JSON.stringify(header)).toString('base64url')
  const payload = claims(algorithm)
  return () => {
    const input = `${encodedHeader}.${Buffer.from(payload).toString('base64url')}`
    return `${input}.${sign('sha256', Buffer.from(input, 'latin1'), keyAndOptions).toString('base64url')}`
  }
}

function claims(outbound: Exchange['outbound']): string {
  const now = Math.floor(Date.now() / 1000)
  return JSON.stringify({
    iss: names.server,
    sub: 'person-1000',
    email: 'person-1000@acme.example',
    groups: ['app-orders', 'app-ledger', 'app-reports', 'app-admin'],
    aud: names.resourceOf(outbound),
    ...{ client_id: 'client-0', iat: now, exp: now + 600, jti: '5u2S7yV8h1mQ0Zr0n6Qd1w', scope: names.scopes[0] },
  })
}
