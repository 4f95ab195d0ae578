import { createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { signingKey } from '../keys/key-file.ts'
import type { AssertionContent } from '../saml/assertion-content.ts'
import { xmlSigner } from '../saml/sign.ts'
import { writeSaml2 } from '../saml/write-saml2.ts'
import { writeSaml11 } from '../saml/write-saml11.ts'

/** The identity provider of the sample's assertions. Only the processors of the sample configuration trust its certificate. */
export const sampleIdentityProvider = 'https://idp.sample.example'

/** What the minted assertion says. */
export interface SampleAssertion {
  readonly version: '2.0' | '1.1'
  readonly subject: string
  readonly audience: string
  readonly recipient: string
  readonly seconds: number
}

/** Mints an assertion of the sample's identity provider, with the key that the first start of the sample configuration made. Base64url, as RFC 8693 §3 wants it. */
export async function mintSampleAssertion(folder: string, wanted: SampleAssertion): Promise<string> {
  const key = await sampleKey(folder)
  const write = wanted.version === '2.0' ? writeSaml2 : writeSaml11
  const assertion = await xmlSigner(key, 'ES256', 'certificate')(write(contentOf(wanted)))
  return Buffer.from(assertion, 'utf8').toString('base64url')
}

async function sampleKey(folder: string) {
  const privateKey = createPrivateKey(await readFile(resolve(folder, 'keys/sample-idp.pem')))
  const certificate = new X509Certificate(await readFile(resolve(folder, 'keys/sample-idp.crt.pem')))
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as JWK
  return { id: 'sample-idp', certificate, ...signingKey('ES256', privateKey, await calculateJwkThumbprint(jwk), jwk) }
}

function contentOf({ version, subject, audience, recipient, seconds }: SampleAssertion): AssertionContent {
  const now = Math.floor(Date.now() / 1000)
  const attribute = (name: string, ...values: string[]) => ({
    name,
    qualifier: version === '1.1' ? 'urn:sample' : undefined,
    friendlyName: undefined,
    values,
  })
  const mail = `${subject}@example.com`
  return {
    id: `_${randomBytes(20).toString('hex')}`,
    issuer: sampleIdentityProvider,
    issuedAt: now,
    notBefore: Math.min(now, now + seconds) - 30,
    notOnOrAfter: now + seconds,
    audiences: [audience],
    oneTimeUse: false,
    subject: { value: mail, format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress', nameQualifier: undefined },
    confirmation: { method: 'bearer', holder: undefined, recipient, notOnOrAfter: now + seconds },
    authentication: {
      instant: now,
      by: version === '2.0' ? 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password' : 'urn:oasis:names:tc:SAML:1.0:am:password',
    },
    attributes: [attribute('uid', subject), attribute('groups', 'app-orders', 'app-ledger', 'staff')],
  }
}
