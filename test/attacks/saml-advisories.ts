import { createHmac, createPublicKey, X509Certificate } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { digestAlgorithms, namespaces, transforms } from '../../src/saml/names.ts'
import {
  attribute,
  attributeStatement,
  keyInfoOf,
  named,
  partner,
  response20,
  type Signer,
  signatureFor,
  signed,
  subject,
  type Unsigned,
  unsigned,
  usualTransforms,
} from '../saml/forge.ts'
import { emptyDigest, materialOf, respond, toAdmin, type Vector } from './saml-material.ts'

const { saml2, signature: ds, metadata } = namespaces
const evilUrl = 'https://evil.example'

/** Bypasses of other programs, each by the name under which it was published. */
export function advisories(signer: Signer, otherSigner: Signer): Record<string, Vector> {
  const { original, signature, good, evil, sameId, with: changed } = materialOf(signer)
  const [, realInfo = ''] = /(<ds:SignedInfo>.*<\/ds:SignedInfo>)/.exec(signature) ?? []
  const [, digest = ''] = /<ds:DigestValue>([^<]*)/.exec(signature) ?? []
  const [, fakeInfo = ''] = /(<ds:SignedInfo>.*<\/ds:SignedInfo>)/.exec(signatureFor(sameId, otherSigner)) ?? []
  const [, fakeDigest = ''] = /<ds:DigestValue>([^<]*)/.exec(fakeInfo) ?? []
  const asEvil = (sign: string) => sameId.before + sign + sameId.after
  const fakeReference = /<ds:Reference.*<\/ds:Reference>/.exec(fakeInfo)?.[0] ?? ''
  return {
    'CVE-2025-29774: a second SignedInfo behind': [asEvil(signature.replace(realInfo, realInfo + fakeInfo)), /Signature is not as/],
    'CVE-2025-29774: a second SignedInfo in front': [asEvil(signature.replace(realInfo, fakeInfo + realInfo)), /Signature is not as/],
    'CVE-2025-29774: a second SignedInfo in an Object': [
      asEvil(signature.replace('</ds:Signature>', `<ds:Object>${fakeInfo}</ds:Object></ds:Signature>`)),
      /Signature is not as/,
    ],
    'CVE-2025-29774: a second SignedInfo in KeyInfo': [
      asEvil(signature.replace('</ds:Signature>', `<ds:KeyInfo>${fakeInfo}</ds:KeyInfo></ds:Signature>`)),
      /not valid/,
    ],
    'CVE-2025-29774: the real SignedInfo inside of the false one': [
      asEvil(signature.replace(realInfo, fakeInfo.replace('</ds:SignedInfo>', `${realInfo}</ds:SignedInfo>`))),
      /SignedInfo is not as/,
    ],
    'CVE-2025-29775: the false digest in a comment in front of the real one': [
      asEvil(signature.replace(digest, `<!--${fakeDigest}-->${digest}`)),
      /a comment/,
    ],
    'CVE-2025-29775: the false digest in front of the real one, which is in a comment': [
      asEvil(signature.replace(digest, `${fakeDigest}<!--${digest}-->`)),
      /a comment/,
    ],
    'CVE-2025-29775: a digest in CDATA': [asEvil(signature.replace(digest, `<![CDATA[${fakeDigest}]]>${digest}`)), /CDATA/],
    'CVE-2024-45409: a false Reference in the Extensions, found first': [
      respond(good)
        .replace(
          '<samlp:Status>',
          `<samlp:Extensions>${fakeReference.replace('<ds:Reference', `<ds:Reference xmlns:ds="${ds}"`)}</samlp:Extensions><samlp:Status>`,
        )
        .replace('alice', 'admin'),
      /one assertion|signature/,
    ],
    'CVE-2024-45409: a false DigestValue in the StatusDetail, found first': [
      respond(toAdmin(good)).replace(
        '</samlp:Status>',
        `<samlp:StatusDetail><ds:DigestValue xmlns:ds="${ds}">${fakeDigest}</ds:DigestValue></samlp:StatusDetail></samlp:Status>`,
      ),
      /not valid|signature/,
    ],
    'CVE-2025-25291: a document type that two parsers end in different places': [
      `<!DOCTYPE x [<!NOTATION n PUBLIC 'a"' "'">]><!--']>-->${good}`,
      /not allowed|document type|comment/,
    ],
    'CVE-2025-25292: a namespace in single quotes with a double one in it': [
      good.replace(`xmlns:ds="${ds}"`, `xmlns:ds='${ds}" x="'`),
      /absolute URI/,
    ],
    'CVE-2025-47949: the signed Response as a child of an evil one': [
      respond(unsigned(evil)).replace('<samlp:Status>', `${signed(response20(unsigned(original)), signer)}<samlp:Status>`),
      /signature|another assertion/,
    ],
    'CVE-2025-46572: a signature of the issuer over something else': [
      asEvil(signatureFor(signedMetadata('_original'), signer)),
      /not valid/,
    ],
    'CVE-2025-46572: something else that the issuer signed, in front of an evil assertion': [
      respond(metadataSignedBy(signer) + unsigned(evil)),
      /signature|one assertion/,
    ],
    'CVE-2025-54419: another Issuer of the Response than of the assertion': [
      respond(good).replace(`>${partner}<`, '>https://other.example<'),
      /sent by somebody else|another place/,
    ],
    'CVE-2026-49283: an assertion of one trusted issuer, signed by another one': [signed(original, otherSigner), /not valid/],
    'CVE-2026-49283: an assertion of one trusted issuer in a Response that another one signed': [
      signed(response20(unsigned(original)), otherSigner),
      /not valid|another place|not an assertion/,
    ],
    'CVE-2026-18568: a Signature without a Reference': [changed({ reference: () => '' }), /SignedInfo is not as/],
    'CVE-2026-18568: a Signature with nothing in it': [asEvil(`<ds:Signature xmlns:ds="${ds}"></ds:Signature>`), /Signature is not as/],
    'CVE-2022-39299: a second root behind the first': [good + unsigned(evil), /root/],
    'CVE-2017-11428: a comment that cuts a name short': [good.replace('alice', 'admin<!---->.alice'), /a comment/],
    'CVE-2016-5697: the signature in a second assertion of the same id': [
      respond(unsigned(sameId) + good),
      /another assertion|there twice/,
    ],
    'CVE-2021-39171: two hundred transforms': [changed({ transforms: usualTransforms.repeat(100) }), /Transforms is not as/],
    'CVE-2009-0217: HMAC cut down to one bit': [
      changed({
        method: named(
          'SignatureMethod',
          'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256',
          '<ds:HMACOutputLength>1</ds:HMACOutputLength>',
        ),
      }),
      /parameters/,
    ],
    ...keyConfusions(signer),
    ...references(signer),
    ...disguises(signer),
    'a Response that is compressed': [deflateRawSync(respond(good)), /UTF-8|not acceptable as XML/],
    'a token that is the base64 of the base64': [Buffer.from(good).toString('base64'), /root|element/],
  }
}

function signedMetadata(id: string): Unsigned {
  return { id, before: `<md:EntityDescriptor xmlns:md="${metadata}" ID="${id}" entityID="${partner}">`, after: '</md:EntityDescriptor>' }
}

function metadataSignedBy(signer: Signer): string {
  return signed(signedMetadata('_metadata'), signer)
}

// CVE-2021-21239 and its like: what is public is taken for a secret, or what the message brings is taken for a key.
function keyConfusions(signer: Signer): Record<string, Vector> {
  const { original, with: changed } = materialOf(signer)
  const x509 = new X509Certificate(signer.certificate)
  const spki = x509.publicKey.export({ type: 'spki', format: 'pem' })
  const method = named('SignatureMethod', 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256')
  const macOf = (secret: string | Buffer) => {
    const unauthentic = changed({ method })
    const [, info = ''] = /(<ds:SignedInfo>.*<\/ds:SignedInfo>)/.exec(unauthentic) ?? []
    const mac = createHmac('sha256', secret)
      .update(info.replace('<ds:SignedInfo>', `<ds:SignedInfo xmlns:ds="${ds}">`))
      .digest('base64')
    return unauthentic.replace(/<ds:SignatureValue>[^<]*/, `<ds:SignatureValue>${mac}`)
  }
  const refused = /algorithm that is not accepted/
  const { n = '', e = '' } = createPublicKey(signer.privateKey).export({ format: 'jwk' })
  const keyValue = `<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>${n}</ds:Modulus><ds:Exponent>${e}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>`
  return {
    'CVE-2021-21239: HMAC with the certificate as the secret': [macOf(signer.certificate), refused],
    'HMAC with the DER of the certificate': [macOf(x509.raw), refused],
    'HMAC with the public key as PEM': [macOf(String(spki)), refused],
    'HMAC with an empty secret': [macOf(''), refused],
    'an empty signature': [changed({}).replace(/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>'), /base64/],
    'a signature with a zero in front': [
      changed({}).replace(
        /<ds:SignatureValue>([^<]*)/,
        (_, value) => `<ds:SignatureValue>${Buffer.concat([Buffer.alloc(1), Buffer.from(value, 'base64')]).toString('base64')}`,
      ),
      /not valid/,
    ],
    'no algorithm': [changed({ method: named('SignatureMethod', '') }), refused],
    'an algorithm of none': [changed({ method: named('SignatureMethod', 'http://www.w3.org/2000/09/xmldsig#none') }), refused],
    MD5: [changed({ digestMethod: 'http://www.w3.org/2001/04/xmldsig-more#md5' }), refused],
    'a bare key in KeyInfo that has not signed': [
      (
        original.before +
        signatureFor({ ...original, after: toAdmin(original.after) }, signer, { keyInfo: keyValue }) +
        original.after
      ).replace('alice', 'root'),
      /not valid/,
    ],
  }
}

/** References that would be fetched, or that mean something else than the element that they stand in. */
function references(signer: Signer): Record<string, Vector> {
  const { good, with: changed } = materialOf(signer)
  const toRetrieve = `<ds:KeyInfo><ds:RetrievalMethod URI="${evilUrl}/key" Type="http://www.w3.org/2000/09/xmldsig#X509Data"></ds:RetrievalMethod></ds:KeyInfo>`
  const transform = (algorithm: string, inside = '') => named('Transform', algorithm, inside)
  const enveloped = transform(transforms.enveloped)
  const filter = '<f:XPath xmlns:f="http://www.w3.org/2002/06/xmldsig-filter2" Filter="subtract">//*</f:XPath>'
  return {
    'a Reference to a file': [changed({ uri: 'file:///etc/passwd' }), /does not refer/],
    'a Reference to an address': [changed({ uri: `${evilUrl}/a.xml#_original` }), /does not refer/],
    'a Reference with an escape in it': [changed({ uri: '#%5foriginal' }), /does not refer/],
    'a Reference to the assertion and one to something else': [
      changed({ reference: one => `${one}<ds:Reference URI="${evilUrl}/"></ds:Reference>` }),
      /SignedInfo is not as/,
    ],
    'a key to be retrieved, over a changed name': [toAdmin(changed({ keyInfo: toRetrieve })), /not valid/],
    'a base64 transform': [changed({ transforms: enveloped + transform('http://www.w3.org/2000/09/xmldsig#base64') }), /exclusively/],
    'an XPath filter that takes everything away': [
      changed({ transforms: enveloped + transform('http://www.w3.org/2002/06/xmldsig-filter2', filter) }),
      /exclusively/,
    ],
    'a decryption transform': [changed({ transforms: transform('http://www.w3.org/2002/07/decrypt#XML') + enveloped }), /first transform/],
    'a security token reference transform': [
      changed({
        transforms:
          enveloped + transform('http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform'),
      }),
      /exclusively/,
    ],
    'canonicalisation 1.1': [
      changed({ canonicalization: named('CanonicalizationMethod', 'http://www.w3.org/2006/12/xml-c14n11') }),
      /exclusively/,
    ],
    'canonicalisation with a parameter': [
      changed({ canonicalization: named('CanonicalizationMethod', transforms.exclusive, '<x:x xmlns:x="urn:x"></x:x>') }),
      /parameters/,
    ],
    'a Manifest that has the reference': [
      changed({
        reference: one => one.replace('#_original', '#_manifest'),
        object: `<ds:Object><ds:Manifest Id="_manifest">${/<ds:Reference.*<\/ds:Reference>/.exec(good)?.[0]}</ds:Manifest></ds:Object>`,
      }),
      /Signature is not as/,
    ],
    'a digest of SHA-1 beside the one of SHA-256': [
      good.replace('<ds:DigestValue>', `${named('DigestMethod', 'http://www.w3.org/2000/09/xmldsig#sha1')}<ds:DigestValue>`),
      /Reference is not as/,
    ],
    'two DigestValues': [
      good.replace('<ds:DigestValue>', `<ds:DigestValue>${emptyDigest}</ds:DigestValue><ds:DigestValue>`),
      /Reference is not as/,
    ],
    'a DigestValue that is longer': [
      good.replace(
        /<ds:DigestValue>([^<]*)/,
        (_, value) => `<ds:DigestValue>${Buffer.concat([Buffer.from(value, 'base64'), Buffer.alloc(3)]).toString('base64')}`,
      ),
      /not valid/,
    ],
    'an unknown digest': [good.replace(digestAlgorithms.sha256, 'urn:x'), /algorithm that is not accepted/],
  }
}

/** Elements that only look like those of SAML, in places where somebody else would find them. */
function disguises(signer: Signer): Record<string, Vector> {
  const { good, evil, original, signature } = materialOf(signer)
  const foreign = (xml: string) => xml.replaceAll('saml:', 'x:').replace(`xmlns:saml="${saml2}"`, 'xmlns:x="urn:x"')
  const include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"></xi:include>'
  return {
    'an assertion of another namespace beside the signed one': [respond(foreign(unsigned(evil)) + good), /another assertion/],
    'an assertion of another namespace in the signed one': [
      good.replace('</saml:Subject>', `</saml:Subject>${foreign(unsigned(evil))}`),
      /another assertion/,
    ],
    'an assertion in lower case beside the signed one': [
      respond(unsigned(evil).replaceAll('saml:Assertion', 'saml:assertion') + good),
      /one assertion|another place/,
    ],
    'an assertion of SAML 1.1 around the signed one': [
      `<a:Assertion xmlns:a="${namespaces.saml11}" MajorVersion="1" MinorVersion="1" AssertionID="_11" Issuer="${partner}">${good}</a:Assertion>`,
      /another assertion|not an assertion/,
    ],
    'an EncryptedAssertion beside the signed one': [
      respond(`${good}<saml:EncryptedAssertion xmlns:saml="${saml2}"></saml:EncryptedAssertion>`),
      /one assertion|another place/,
    ],
    'the signed assertion in an attribute of an evil one, which was signed by somebody else': [
      evil.before + signature + evil.after.replace('</saml:Assertion>', `${attributeStatement(attribute('x', good))}</saml:Assertion>`),
      /another assertion/,
    ],
    'a Signature in an Object of the Signature': [
      good.replace('</ds:Signature>', `<ds:Object>${signature}</ds:Object></ds:Signature>`),
      /another place/,
    ],
    'a Signature in a Signature': [
      original.before + signature.replace('<ds:SignedInfo>', `${signature}<ds:SignedInfo>`) + original.after,
      /another place/,
    ],
    'a second Subject behind the first': [good.replace('</saml:Subject>', `</saml:Subject>${subject('admin')}`), /not valid/],
    'an XInclude in the name': [good.replace('alice', `alice${include}`), /not valid/],
    'a KeyInfo that has a certificate twice, over a changed name': [
      toAdmin(good.replace('</ds:Signature>', `${keyInfoOf(signer)}</ds:Signature>`)),
      /not valid/,
    ],
  }
}
