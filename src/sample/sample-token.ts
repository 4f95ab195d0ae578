import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { calculateJwkThumbprint, exportJWK, importPKCS8, SignJWT } from 'jose'

/** Who issues the sample's tokens. Only the processors of the sample configuration trust the key. */
export const sampleIssuers = { person: 'https://people.sample.example', agent: 'https://agents.sample.example' } as const

/** What the minted token says. */
export interface SampleToken {
  /** A person to be the subject, or an agent to be the actor. */
  readonly of: keyof typeof sampleIssuers
  readonly subject: string
  readonly audience: string
  readonly seconds: number
}

/** Mints a token of the sample's issuers, with the key that the first start of the sample configuration made. */
export async function mintSampleToken(folder: string, { of, subject, audience, seconds }: SampleToken): Promise<string> {
  const key = await importPKCS8(await readFile(resolve(folder, 'keys/sample-issuer.pem'), 'utf8'), 'ES256', { extractable: true })
  const { d: _private, ...publicJwk } = await exportJWK(key)
  const claims =
    of === 'person' ? { email: `${subject}@example.com`, email_verified: true, groups: ['app-orders', 'staff'], scope: 'orders.read' } : {}
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: await calculateJwkThumbprint(publicJwk), typ: 'JWT' })
    .setIssuer(sampleIssuers[of])
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + seconds)
    .setJti(randomUUID())
    .sign(key)
}
