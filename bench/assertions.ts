import { createPublicKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { JWK } from 'jose'
import { signingKey } from '../src/keys/key-file.ts'
import type { AssertionContent } from '../src/saml/assertion-content.ts'
import { type UnsignedAssertion, type XmlSigner, xmlSigner } from '../src/saml/sign.ts'
import { writeSaml2 } from '../src/saml/write-saml2.ts'
import { type Algorithm, certificateFile, names, type Owner, privateKey } from './material.ts'

// The assertions of the benchmark: what comes in, made as an identity provider would, and what goes out, for those who write it beforehand.

/** Makes the function that signs assertions with one of the keys of the run. */
export function assertionSigner(folder: string, owner: Owner, algorithm: Algorithm): XmlSigner {
  const key: KeyObject = privateKey(folder, owner, algorithm)
  const jwk = createPublicKey(key).export({ format: 'jwk' }) as JWK
  const certificate = new X509Certificate(readFileSync(certificateFile(folder, owner, algorithm)))
  return xmlSigner({ id: algorithm, certificate, ...signingKey(algorithm, key, algorithm, jwk) }, algorithm, 'certificate')
}

/** An assertion of the foreign issuer about one person: 7 KB when it is signed, with what identity providers like to add. */
export function inboundAssertion(index: number, more = 12): UnsignedAssertion {
  const person = `person-${index}`
  return writeSaml2({
    ...frame(names.foreignIssuer, names.server, `${names.server}/token`, 3600),
    subject: { value: `${person}@acme.example`, format: names.emailFormat, nameQualifier: undefined },
    attributes: [
      attribute('uid', person),
      attribute('email', `${person}@acme.example`),
      attribute('email_verified', 'true'),
      attribute('groups', ...names.groups),
      ...Array.from({ length: more }, (_, place) =>
        attribute(`urn:oid:2.16.840.1.113730.3.1.${place}`, `Value ${place} of ${person} & others`),
      ),
    ],
  })
}

/** What the server that is measured makes of a JWT. */
export function outboundAssertion(): UnsignedAssertion {
  const resource = names.resourceOf('saml2-RS256')
  return writeSaml2({
    ...frame(names.server, resource, `${resource}acs`, 600),
    authentication: undefined,
    subject: { value: 'person-1000@acme.example', format: names.emailFormat, nameQualifier: undefined },
    attributes: [
      attribute('uid', 'person-1000'),
      attribute('email', 'person-1000@acme.example'),
      attribute('groups', 'app-orders', 'app-ledger', 'app-reports', 'app-admin'),
    ],
  })
}

function frame(issuer: string, audience: string, recipient: string, seconds: number): Omit<AssertionContent, 'subject' | 'attributes'> {
  const now = Math.floor(Date.now() / 1000)
  return {
    id: `_${randomBytes(20).toString('hex')}`,
    issuer,
    issuedAt: now,
    notBefore: now - 30,
    notOnOrAfter: now + seconds,
    audiences: [audience],
    oneTimeUse: false,
    confirmation: { method: 'bearer', holder: undefined, recipient, notOnOrAfter: now + seconds },
    authentication: {
      instant: now,
      by: 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password',
      sessionIndex: `_${randomBytes(16).toString('hex')}`,
    },
  }
}

function attribute(name: string, ...values: string[]) {
  return { name, qualifier: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic', friendlyName: undefined, values }
}
