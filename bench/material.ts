import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestSecret, generateSecret } from '../src/clients/secrets.ts'
import { selfSignedCertificate } from '../src/keys/self-signed-certificate.ts'

/** The exchanges that are measured next to others. */
export const exchanges = [
  { name: 'ES256→ES256', inbound: 'ES256', outbound: 'ES256' },
  { name: 'RS256→ES256', inbound: 'RS256', outbound: 'ES256' },
  { name: 'ES256→RS256', inbound: 'ES256', outbound: 'RS256' },
  { name: 'ES256→reference', inbound: 'ES256', outbound: 'reference' },
  { name: 'JWT ES256→SAML 2.0 RS256', inbound: 'ES256', outbound: 'saml2-RS256' },
  { name: 'JWT ES256→SAML 2.0 ES256', inbound: 'ES256', outbound: 'saml2-ES256' },
  { name: 'SAML 2.0 RS256→JWT ES256', inbound: 'saml2-RS256', outbound: 'ES256' },
] as const satisfies readonly Exchange[]

/** An assertion for an assertion: what WS-Trust is asked for, and the token endpoint can do as well. */
export const assertionExchange: Exchange = { name: 'SAML 2.0 RS256→SAML 2.0 RS256', inbound: 'saml2-RS256', outbound: 'saml2-RS256' }

/** What comes in and what goes out. */
export interface Exchange {
  readonly name: string
  readonly inbound: Algorithm | 'saml2-RS256'
  readonly outbound: Algorithm | 'reference' | 'saml2-RS256' | 'saml2-ES256'
}
export type Algorithm = 'ES256' | 'RS256'
export type Owner = 'foreign' | 'own'

/** With which algorithm a token is signed. */
export function algorithmOf(token: Exclude<Exchange['inbound' | 'outbound'], 'reference'>): Algorithm {
  return token.endsWith('ES256') ? 'ES256' : 'RS256'
}

/** Whether a token is an assertion. */
export function isSaml(token: Exchange['inbound' | 'outbound']): token is 'saml2-RS256' | 'saml2-ES256' {
  return token.startsWith('saml2')
}

/** Whose tokens are exchanged, by whom, and for what. */
export const names = {
  foreignIssuer: 'https://login.acme.example',
  server: 'https://sts.example.com',
  scopes: ['orders.read', 'orders.write'],
  groups: ['staff', 'app-orders', 'app-ledger', 'vpn', 'app-reports', 'everyone', 'app-admin', 'building-7'],
  emailFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
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
  const certificate = { commonName: 'benchmark', notBefore: new Date(), days: 30 }
  for (const owner of ['foreign', 'own'] as const) {
    const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    for (const [algorithm, key] of [['ES256', ec] as const, ['RS256', rsa] as const]) {
      writeFileSync(keyFile(folder, owner, algorithm), key.export({ type: 'pkcs8', format: 'pem' }))
      writeFileSync(certificateFile(folder, owner, algorithm), selfSignedCertificate(key, certificate))
    }
  }
}

export function keyFile(folder: string, owner: Owner, algorithm: Algorithm): string {
  return join(folder, `${owner}-${algorithm}.pem`)
}

export function certificateFile(folder: string, owner: Owner, algorithm: Algorithm): string {
  return join(folder, `${owner}-${algorithm}.crt.pem`)
}

export function privateKey(folder: string, owner: Owner, algorithm: Algorithm) {
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
