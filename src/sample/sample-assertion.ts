import { createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { federationAttributes } from '../aws/federation.ts'
import { partitions, signInAddresses } from '../aws/partitions.ts'
import { signingKey } from '../keys/key-file.ts'
import { type AssertionContent, dateTime } from '../saml/assertion-content.ts'
import { namespaces } from '../saml/names.ts'
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
  /** Attributes beside those of the person. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>
}

/** Mints an assertion of the sample's identity provider, with the key that the first start of the sample configuration made. Base64url, as RFC 8693 §3 wants it. */
export async function mintSampleAssertion(folder: string, wanted: SampleAssertion): Promise<string> {
  return Buffer.from(await signedAssertion(folder, wanted), 'utf8').toString('base64url')
}

/** Mints what one signs in to AWS with: an assertion for AWS in a Response, in the base64 of a sign-in form (AW-3, AW-4). */
export async function mintSampleResponseForAws(folder: string, wanted: Omit<SampleAssertion, 'version' | 'recipient'>): Promise<string> {
  const [recipient = ''] = signInAddresses(partitions.aws)
  const assertion = await signedAssertion(folder, { ...wanted, version: '2.0', recipient, attributes: sessionOf(wanted.subject) })
  const about = `ID="_${randomBytes(20).toString('hex')}" Version="2.0" IssueInstant="${dateTime(Date.now() / 1000)}" Destination="${recipient}"`
  const status = '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
  const response = `<samlp:Response xmlns:samlp="${namespaces.saml2Protocol}" ${about}>${status}${assertion}</samlp:Response>`
  return Buffer.from(response, 'utf8').toString('base64')
}

/** What it says to AWS (AW-12). */
function sessionOf(subject: string): Record<string, string[]> {
  const provider = 'arn:aws:iam::123456789012:saml-provider/Sample'
  const choices = ['Developer', 'Auditor'].map(role => `arn:aws:iam::123456789012:role/${role},${provider}`)
  return {
    [federationAttributes.role]: choices,
    [federationAttributes.roleSessionName]: [`${subject}@example.com`],
    [federationAttributes.sourceIdentity]: [subject],
    [`${federationAttributes.principalTag}Team`]: ['payments'],
    [federationAttributes.transitiveTagKeys]: ['Team'],
  }
}

async function signedAssertion(folder: string, wanted: SampleAssertion): Promise<string> {
  const key = await sampleKey(folder)
  const write = wanted.version === '2.0' ? writeSaml2 : writeSaml11
  return await xmlSigner(key, 'ES256', 'certificate')(write(contentOf(wanted)))
}

async function sampleKey(folder: string) {
  const privateKey = createPrivateKey(await readFile(resolve(folder, 'keys/sample-idp.pem')))
  const certificate = new X509Certificate(await readFile(resolve(folder, 'keys/sample-idp.crt.pem')))
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as JWK
  return { id: 'sample-idp', certificate, ...signingKey('ES256', privateKey, await calculateJwkThumbprint(jwk), jwk) }
}

function contentOf({ version, subject, audience, recipient, seconds, attributes = {} }: SampleAssertion): AssertionContent {
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
    attributes: [
      attribute('uid', subject),
      attribute('groups', 'app-orders', 'app-ledger', 'staff'),
      ...Object.entries(attributes).map(([name, values]) => attribute(name, ...values)),
    ],
  }
}
