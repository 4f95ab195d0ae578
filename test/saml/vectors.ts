import {
  assertion20,
  keyInfoOf,
  named,
  response20,
  type Signer,
  signatureFor,
  signed,
  subject,
  success,
  unsigned,
  usualTransforms,
} from './forge.ts'

const ds = 'http://www.w3.org/2000/09/xmldsig#'
const emptyDigest = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='

/** The pieces that a wrapping attack puts together: what the partner signed for alice, and what mallory made of it. */
export function pieces(signer: Signer) {
  const original = assertion20({ id: '_original' })
  const signature = signatureFor(original, signer)
  const evil = assertion20({ id: '_evil', subject: subject('admin') })
  const sameId = assertion20({ id: '_original', subject: subject('admin') })
  return { original, signature, good: original.before + signature + original.after, bare: unsigned(original), evil, sameId }
}

/** Signature wrapping as SAML Raider does it, where it makes sense also without a Response around the assertion. */
export function wrappings(signer: Signer): Record<string, string> {
  const { original, signature, good, bare, evil, sameId } = pieces(signer)
  const respond = (inside: string) => unsigned(response20(inside))
  const signedResponse = response20(bare)
  const responseSignature = signatureFor(signedResponse, signer)
  const evilResponse = response20(unsigned(evil))
  const intoSignature = (inside: string) => signature.replace('</ds:Signature>', `<ds:Object>${inside}</ds:Object></ds:Signature>`)
  const around = (where: string, inside: string) => evil.before + evil.after.replace(where, `${inside}${where}`)
  const inSubject = evil.after.replace('></saml:SubjectConfirmationData>', `>${good}</saml:SubjectConfirmationData>`)
  return {
    'XSW 1: the signed Response inside of the Signature of an evil one': `${evilResponse.before}${responseSignature.replace('</ds:Signature>', `<ds:Object>${unsigned(signedResponse)}</ds:Object></ds:Signature>`)}${evilResponse.after}`,
    'XSW 2: the signed Response before its signature in an evil one': `${evilResponse.before}${unsigned(signedResponse)}${responseSignature}${evilResponse.after}`,
    'XSW 3: an evil assertion before the signed one': respond(unsigned(evil) + good),
    'XSW 4: the signed assertion as a child of an evil one': respond(
      evil.before + evil.after.replace('</saml:Assertion>', `${good}</saml:Assertion>`),
    ),
    'XSW 5: the signature in an evil assertion, the original behind it': respond(evil.before + signature + evil.after + bare),
    'XSW 6: the original inside of the signature of an evil assertion': respond(
      evil.before + signature.replace('</ds:Signature>', `${bare}</ds:Signature>`) + evil.after,
    ),
    'XSW 7: an evil assertion in the Extensions of the Response': respond(`<samlp:Extensions>${unsigned(evil)}</samlp:Extensions>${good}`),
    'XSW 8: the original in an Object of the Signature': respond(evil.before + intoSignature(bare) + evil.after),
    'an evil assertion behind the signed one': respond(good + unsigned(evil)),
    'an evil assertion with the same id before the signed one': respond(unsigned(sameId) + good),
    'an evil assertion beside the status': respond(good).replace(success, unsigned(evil) + success),
    'an evil assertion in the status': respond(good).replace(
      '</samlp:Status>',
      `<samlp:StatusDetail>${unsigned(evil)}</samlp:StatusDetail></samlp:Status>`,
    ),
    'a signed Response in front of which an evil assertion was put': `${signedResponse.before}${responseSignature}${unsigned(evil)}${signedResponse.after}`,
    'a signed Response whose assertion was replaced': `${signedResponse.before}${responseSignature}${signedResponse.after.replace('alice', 'admin')}`,
    'the signed assertion in the Advice of an evil one': around('</saml:Assertion>', `<saml:Advice>${good}</saml:Advice>`),
    'the signed assertion in the SubjectConfirmationData of an evil one': evil.before + inSubject,
    'the signed assertion in a NameID of an evil one': evil.before + evil.after.replace('admin', `admin${good}`),
    'the signed assertion in an attribute of an evil one': around(
      '</saml:Assertion>',
      `<saml:AttributeStatement><saml:Attribute Name="x"><saml:AttributeValue>${good}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`,
    ),
    'the signed assertion in an Object of an empty signature': `${evil.before}<ds:Signature xmlns:ds="${ds}"><ds:Object>${good}</ds:Object></ds:Signature>${evil.after}`,
    'the signature of the original in an evil assertion': evil.before + signature + evil.after,
    'the signature of the original in an evil assertion of its id': sameId.before + signature + sameId.after,
    'both in an element of no meaning': `<x:both xmlns:x="urn:x">${unsigned(evil)}${good}</x:both>`,
    'two roots': unsigned(evil) + good,
    'two roots, the signed one first': good + unsigned(evil),
    'an id in the place of which another attribute stands':
      evil.before.replace('ID="_evil"', 'ID="_evil" Id="_original"') + signature + evil.after,
    'an id in a namespace (attribute pollution)': `${evil.before.replace('ID="_evil"', `xmlns:samlx="urn:oasis:names:tc:SAML:2.0:assertion" samlx:ID="_original" ID="_evil"`)}${signature}${evil.after}`,
    'the id twice by two prefixes (attribute pollution)': `${original.before.replace('ID="_original"', 'xmlns:a="urn:a" xmlns:b="urn:a" a:ID="_1" b:ID="_2" ID="_original"')}${signature}${original.after}`,
  }
}

/** Documents whose text is not plain XML of one meaning, each with what its refusal says. */
export function brokenTexts(signer: Signer): Record<string, readonly [string | Buffer, RegExp]> {
  const { good, bare: original } = pieces(signer)
  const named = (name: string) => good.replace('alice', name)
  return {
    'a comment in the NameID': [named('ali<!---->ce'), /a comment/],
    'a comment that cuts off the rest': [named('admin<!---->alice'), /a comment/],
    'a processing instruction in the NameID': [named('<?p al?>ice'), /a processing instruction/],
    'CDATA in the NameID': [named('<![CDATA[alice]]>'), /a CDATA section/],
    'a DOCTYPE': [`<!DOCTYPE x>${good}`, /a document type/],
    'a DOCTYPE with an internal subset': [`<!DOCTYPE x [<!ENTITY e "alice">]>${named('&e;')}`, /a document type|not allowed/],
    'an external entity': [`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${named('&e;')}`, /a document type|not allowed/],
    'an undefined entity': [named('alice&x;'), /reference/],
    'an ampersand of its own': [named('alice & co'), /reference/],
    'a comment in front': [`<!-- x -->${good}`, /a comment/],
    'a comment behind': [`${good}<!-- x -->`, /a comment/],
    'a processing instruction in front': [`<?x y?>${good}`, /a processing instruction/],
    'a comment in the DigestValue': [good.replace('<ds:DigestValue>', '<ds:DigestValue><!-- x -->'), /a comment/],
    'junk behind the root': [`${good}junk`, /outside of its root/],
    'junk in front of the root': [`junk${good}`, /outside of its root/],
    'a NUL': [named('alice\0'), /characters/],
    'a control character': [named('alice\u0001'), /characters/],
    'a reference to a control character': [named('alice&#1;'), /reference to a character/],
    'a reference to a surrogate': [named('alice&#xD800;'), /reference to a character/],
    'a reference to NUL': [named('alice&#0;'), /reference to a character/],
    'U+FFFE': [named('alice\uFFFE'), /characters/],
    'a byte order mark': [`\uFEFF${good}`, /outside of its root/],
    'UTF-16': [Buffer.from(good, 'utf16le'), /characters/],
    'UTF-16 with its mark': [Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(good, 'utf16le')]), /UTF-8/],
    'bytes that are not UTF-8': [Buffer.from(named('alic\u00e9'), 'latin1'), /UTF-8/],
    'an overlong encoding': [
      Buffer.concat([Buffer.from(good.slice(0, 300)), Buffer.from([0xc0, 0xbc]), Buffer.from(good.slice(300))]),
      /UTF-8/,
    ],
    'a declaration of another encoding': [`<?xml version="1.0" encoding="UTF-16"?>${good}`, /XML declaration/],
    'a declaration of XML 1.1': [`<?xml version="1.1"?>${good}`, /XML declaration/],
    'an end tag that does not fit': [good.replace('</saml:Subject>', '</saml:subject>'), /end tag/],
    'an end tag with junk': [good.replace('</saml:Subject>', '</saml:Subject x>'), /end tag/],
    'an attribute without quotes': [good.replace('Version="2.0"', 'Version=2.0'), /malformed/],
    'an attribute twice': [good.replace('ID="_original"', 'ID="_original" ID="_original"'), /twice/],
    'an element that is not closed': [good.slice(0, -5), /end tag|not closed/],
    'an undeclared prefix': [
      original.replace('<saml:Conditions', '<x:Conditions').replace('</saml:Conditions', '</x:Conditions'),
      /XML|namespace/,
    ],
    nothing: [' ', /there is none/],
    'the sequence that ends CDATA': [named('alice]]>'), /not allow in text/],
  }
}

/** Documents whose namespaces or identifiers mean two things. */
export function confusions(signer: Signer): Record<string, readonly [string, RegExp]> {
  const { good } = pieces(signer)
  const declaring = (attributes: string) => good.replace('<saml:Conditions', `<saml:Conditions ${attributes}`)
  return {
    'a relative namespace': [declaring('xmlns:x="relative"'), /absolute URI/],
    'a relative namespace with a path (void canonicalisation)': [declaring('xmlns:x="../x"'), /absolute URI/],
    'a namespace that is only a fragment': [declaring('xmlns:x="#"'), /absolute URI/],
    'an empty namespace for a prefix': [declaring('xmlns:x=""'), /absolute URI/],
    'no namespace': [good.replace('<saml:Conditions', '<x xmlns=""></x><saml:Conditions'), /absolute URI|namespace/],
    'a namespace with a quote in it': [declaring('xmlns:x="urn:x&quot; y=&quot;z"'), /absolute URI/],
    'a prefix that means two things (namespace confusion)': [declaring('xmlns:saml="urn:other"'), /means two things|namespace/],
    'the namespace of namespaces': [declaring('xmlns:x="http://www.w3.org/2000/xmlns/"'), /absolute URI|reserved|XML/],
    'a prefix for the namespace of XML': [declaring('xmlns:x="http://www.w3.org/XML/1998/namespace"'), /reserved/],
    'another meaning of xml': [declaring('xmlns:xml="urn:x"'), /reserved|XML/],
    'another meaning of xmlns': [declaring('xmlns:xmlns="urn:x"'), /reserved|XML/],
    'an attribute whose name starts with xmlns': [declaring('xmlnsx="urn:x"'), /reserved/],
    'one attribute by two prefixes': [declaring('xmlns:a="urn:a" xmlns:b="urn:a" a:x="1" b:x="2"'), /twice/],
    'elements of HTML': [
      good.replace('<saml:Conditions', '<script xmlns="http://www.w3.org/1999/xhtml"></script><saml:Conditions'),
      /reserved/,
    ],
    'an ID twice': [declaring('ID="_original"'), /ID is there twice/],
    'an ID under another name': [declaring('Id="_original"'), /ID is there twice/],
    'an xml:id of the same value': [declaring('xml:id="_original"'), /ID is there twice/],
    'a wsu:Id of the same value': [
      declaring('xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" wsu:Id="_original"'),
      /ID is there twice/,
    ],
    'an AssertionID of the same value': [declaring('AssertionID="_original"'), /ID is there twice/],
    'an empty ID': [declaring('Id=""'), /empty or malformed/],
    'an ID that is no name': [declaring('Id="a b"'), /empty or malformed/],
  }
}

/** Signatures outside of the one profile that is taken, most of them mathematically right. */
export function badSignatures(signer: Signer, evilSigner: Signer): Record<string, readonly [string, RegExp]> {
  const { original, good, bare: unsignedOriginal, signature } = pieces(signer)
  const changed = (changes: Parameters<typeof signed>[2]) => signed(original, signer, changes)
  const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
  const transform = (algorithm: string, inside = '') => named('Transform', algorithm, inside)
  const enveloped = transform('http://www.w3.org/2000/09/xmldsig#enveloped-signature')
  const prefixList = (list: string) => `<ec:InclusiveNamespaces xmlns:ec="${exclusive}" PrefixList="${list}"></ec:InclusiveNamespaces>`
  return {
    'none at all': [unsignedOriginal, /not signed/],
    'a tampered value': [good.replace('alice', 'admin'), /not valid/],
    'a tampered signature': [good.replace('<ds:SignatureValue>', '<ds:SignatureValue>AAAA'), /not valid|base64/],
    'one of another key': [signed(original, evilSigner), /not valid/],
    'one of another key, which it brings along': [signed(original, evilSigner, { keyInfo: keyInfoOf(evilSigner) }), /not valid/],
    'SHA-1': [
      changed({ method: named('SignatureMethod', 'http://www.w3.org/2000/09/xmldsig#rsa-sha1') }),
      /algorithm that is not accepted/,
    ],
    'a digest of SHA-1': [changed({ digestMethod: 'http://www.w3.org/2000/09/xmldsig#sha1' }), /algorithm that is not accepted/],
    HMAC: [
      changed({ method: named('SignatureMethod', 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256') }),
      /algorithm that is not accepted/,
    ],
    HMACOutputLength: [
      changed({
        method: named(
          'SignatureMethod',
          'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
          '<ds:HMACOutputLength>8</ds:HMACOutputLength>',
        ),
      }),
      /parameters/,
    ],
    'two SignedInfo': [good.replace('<ds:SignatureValue>', '<ds:SignedInfo></ds:SignedInfo><ds:SignatureValue>'), /Signature is not as/],
    'two SignedInfo, the signed one second': [good.replace('<ds:SignedInfo>', '<ds:SignedInfo></ds:SignedInfo><ds:SignedInfo>'), /not as/],
    'no Reference': [changed({ reference: () => '' }), /SignedInfo is not as/],
    'two References': [changed({ reference: one => one + one }), /SignedInfo is not as/],
    'an empty URI': [changed({ uri: '' }), /does not refer/],
    'an XPointer': [changed({ uri: '#xpointer(/)' }), /does not refer/],
    'an XPointer to the id': [changed({ uri: "#xpointer(id('_original'))" }), /does not refer/],
    'another id': [changed({ uri: '#_other' }), /does not refer/],
    'a URL': [changed({ uri: 'https://evil.example/' }), /does not refer/],
    'no URI': [changed({ reference: one => one.replace(' URI="#_original"', '') }), /missing or unknown/],
    'the digest of nothing': [changed({ digest: emptyDigest }), /not valid/],
    'no digest': [changed({ digest: '' }), /base64/],
    'a further transform': [changed({ transforms: usualTransforms + transform(exclusive) }), /Transforms is not as/],
    'an XPath transform': [
      changed({ transforms: enveloped + transform('http://www.w3.org/TR/1999/REC-xpath-19991116', '<ds:XPath>self::x</ds:XPath>') }),
      /not canonicalised exclusively/,
    ],
    'an XSLT transform': [changed({ transforms: enveloped + transform('http://www.w3.org/TR/1999/REC-xslt-19991116') }), /exclusively/],
    'the enveloped transform alone': [changed({ transforms: enveloped }), /Transforms is not as/],
    'the enveloped transform last': [changed({ transforms: transform(exclusive) + enveloped }), /first transform/],
    'inclusive canonicalisation': [
      changed({ canonicalization: named('CanonicalizationMethod', 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315') }),
      /exclusively/,
    ],
    'a prefix list that does not resolve': [
      changed({ transforms: enveloped + transform(exclusive, prefixList('zz')) }),
      /does not resolve/,
    ],
    'a prefix list with the default namespace': [
      changed({ transforms: enveloped + transform(exclusive, prefixList('#default')) }),
      /does not resolve/,
    ],
    'an Object': [changed({ object: '<ds:Object></ds:Object>' }), /Signature is not as/],
    'a Manifest in an Object': [changed({ object: '<ds:Object><ds:Manifest></ds:Manifest></ds:Object>' }), /Signature is not as/],
    'a type of the reference': [
      changed({ reference: one => one.replace(' URI', ' Type="http://www.w3.org/2000/09/xmldsig#Object" URI') }),
      /missing or unknown/,
    ],
    'a signature in the KeyInfo': [changed({ keyInfo: `<ds:KeyInfo>${signature}</ds:KeyInfo>` }), /another place|twice/],
    'text in the SignedInfo': [good.replace('<ds:Reference', 'x<ds:Reference'), /SignedInfo is not as/],
    'a signature behind the subject': [
      original.before + original.after.replace('<saml:Conditions', `${signature}<saml:Conditions`),
      /not in its place/,
    ],
    'a signature before the issuer': [
      good.replace(signature, '').replace('<saml:Issuer>', `${signature}<saml:Issuer>`),
      /not in its place/,
    ],
    'two signatures': [good.replace(signature, signature + signature), /another place/],
    'a signature of another namespace': [good.replace('xmlns:ds="http://www.w3.org/2000/09/xmldsig#"', 'xmlns:ds="urn:ds"'), /not signed/],
  }
}
