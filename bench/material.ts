import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, randomBytes, randomUUID, sign } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestSecret, generateSecret } from '../src/clients/secrets.ts'

/** What comes in and what goes out: the four exchanges that are measured. */
export const exchanges = [
  { name: 'ES256→ES256', inbound: 'ES256', outbound: 'ES256' },
  { name: 'RS256→ES256', inbound: 'RS256', outbound: 'ES256' },
  { name: 'ES256→RS256', inbound: 'ES256', outbound: 'RS256' },
  { name: 'ES256→reference', inbound: 'ES256', outbound: 'reference' },
] as const
export type Exchange = (typeof exchanges)[number]
export type Algorithm = 'ES256' | 'RS256'

/** Whose tokens are exchanged, by whom, and for what. */
export const names = {
  foreignIssuer: 'https://login.acme.example',
  server: 'https://sts.example.com',
  scopes: ['orders.read', 'orders.write'],
  resourceOf: (outbound: Exchange['outbound']) => `https://api.example.com/${outbound}/`,
} as const

/** A client and its secret, in the clear and as the server keeps it. */
export interface BenchClient {
  readonly id: string
  readonly secret: string
  readonly hash: string
}

/** Makes the keys of one run: of the foreign issuer, and of the server that is measured. */
export function makeKeys(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const owner of ['foreign', 'own']) {
    const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    writeFileSync(keyFile(folder, owner, 'ES256'), ec.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(keyFile(folder, owner, 'RS256'), rsa.export({ type: 'pkcs8', format: 'pem' }))
  }
}

export function keyFile(folder: string, owner: string, algorithm: Algorithm): string {
  return join(folder, `${owner}-${algorithm}.pem`)
}

export function privateKey(folder: string, owner: 'foreign' | 'own', algorithm: Algorithm) {
  return createPrivateKey(readFileSync(keyFile(folder, owner, algorithm)))
}

/** The public keys of the foreign issuer as a JWK Set. */
export function foreignKeySet(folder: string): { keys: JsonWebKey[] } {
  const keys = (['ES256', 'RS256'] as const).map(alg => {
    const jwk = createPublicKey(privateKey(folder, 'foreign', alg)).export({ format: 'jwk' })
    return { ...jwk, kid: `foreign-${alg}`, alg, use: 'sig' }
  })
  return { keys }
}

/** Clients whose secrets are as `cambist hash-secret --generate` makes them. */
export function makeClients(count: number): BenchClient[] {
  return Array.from({ length: count }, (_, index) => {
    const secret = generateSecret(randomBytes)
    return { id: `client-${index}`, secret, hash: digestSecret(secret).text }
  })
}

/** Whole requests, each with a subject token of its own that was signed just now. */
export function makeRequests(count: number, folder: string, exchange: Exchange, path: string, clients: readonly BenchClient[]): Buffer[] {
  const key = privateKey(folder, 'foreign', exchange.inbound)
  return Array.from({ length: count }, (_, index) => {
    const client = clients[index % clients.length] as BenchClient
    return requestOf(path, client, bodyOf(subjectToken(exchange.inbound, key, index), exchange.outbound))
  })
}

function subjectToken(alg: Algorithm, key: ReturnType<typeof createPrivateKey>, index: number): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: names.foreignIssuer,
    sub: `person-${index}`,
    aud: names.server,
    ...{ iat: now, nbf: now, exp: now + 3600, jti: randomUUID() },
    azp: 'web-shop',
    scope: names.scopes.join(' '),
    name: `Person Number ${index}`,
    email: `person-${index}@acme.example`,
    email_verified: true,
    groups: ['staff', 'app-orders', 'app-ledger', 'vpn', 'app-reports', 'everyone', 'app-admin', 'building-7'],
  }
  const header = { alg, kid: `foreign-${alg}`, typ: 'JWT' }
  const input = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function bodyOf(token: string, outbound: Exchange['outbound']): string {
  return new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    resource: names.resourceOf(outbound),
    scope: names.scopes[0],
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  }).toString()
}

function requestOf(path: string, { id, secret }: BenchClient, body: string): Buffer {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: sts.example.com',
    'User-Agent: bench',
    'Accept: application/json',
    `Authorization: Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')
}
