import type { X509Certificate } from 'node:crypto'
import type { JWK } from 'jose'
import { namespaces } from './names.ts'
import { element, join, text, type Xml } from './write.ts'

/** A certificate as X509Data (XML Signature §4.4.4). */
export function x509Data(certificate: X509Certificate): Xml {
  return element('ds:X509Data', {}, element('ds:X509Certificate', {}, text(certificate.raw.toString('base64'))))
}

/** A public key as KeyValue (XML Signature 1.1 §4.5.2): an RSA modulus and exponent, or a curve and its point. */
export function keyValue(jwk: JWK): Xml {
  return element('ds:KeyValue', {}, jwk.kty === 'RSA' ? rsaKeyValue(jwk) : ecKeyValue(jwk))
}

/** KeyInfo (XML Signature §4.4). Outside of a Signature it declares its prefix itself. */
export function keyInfo(content: Xml, place: 'in-signature' | 'alone' = 'in-signature'): Xml {
  return element('ds:KeyInfo', place === 'alone' ? { 'xmlns:ds': namespaces.signature } : {}, content)
}

function rsaKeyValue({ n = '', e = '' }: JWK): Xml {
  return element(
    'ds:RSAKeyValue',
    {},
    element('ds:Modulus', {}, text(toBase64(Buffer.from(n, 'base64url')))),
    element('ds:Exponent', {}, text(toBase64(Buffer.from(e, 'base64url')))),
  )
}

const curves: Readonly<Record<string, string>> = {
  'P-256': 'urn:oid:1.2.840.10045.3.1.7',
  'P-384': 'urn:oid:1.3.132.0.34',
  'P-521': 'urn:oid:1.3.132.0.35',
}

function ecKeyValue({ crv = '', x = '', y = '' }: JWK): Xml {
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  return element(
    'dsig11:ECKeyValue',
    { 'xmlns:dsig11': namespaces.signature11 },
    join(element('dsig11:NamedCurve', { URI: curves[crv] }), element('dsig11:PublicKey', {}, text(toBase64(point)))),
  )
}

function toBase64(bytes: Buffer): string {
  return bytes.toString('base64')
}
