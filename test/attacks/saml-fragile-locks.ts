import { sign } from 'node:crypto'
import { namespaces } from '../../src/saml/names.ts'
import { type Signer, signed, unsigned } from '../saml/forge.ts'
import { emptyDigest, materialOf, type Vector } from './saml-material.ts'

const { saml2, saml2Protocol, signature: ds } = namespaces

/** "The Fragile Lock" (2025): attribute pollution, namespace confusion, void canonicalisation; CVE-2025-66567 and CVE-2025-66568. */
export function fragileLocks(signer: Signer): Record<string, Vector> {
  const { original, signature, good, evil, sameId } = materialOf(signer)
  const polluted = (attributes: string) => evil.before.replace('ID="_evil"', attributes) + signature + evil.after
  const onAssertion = (attributes: string) => good.replace('<saml:Assertion ', `<saml:Assertion ${attributes} `)
  const onSignature = (attributes: string) =>
    sameId.before + signature.replace('<ds:Signature ', `<ds:Signature ${attributes} `) + sameId.after
  const unprefixed = signature.replaceAll('ds:', '').replace(`xmlns:ds="${ds}"`, '')
  return {
    'attribute pollution: an ID in the namespace of the assertion': [
      polluted('saml:ID="_original" ID="_evil"'),
      /ID is there twice|does not refer/,
    ],
    'attribute pollution: the ID only in a namespace': [polluted('saml:ID="_original"'), /does not refer/],
    'attribute pollution: the ID in the namespace of the protocol': [
      polluted(`xmlns:samlp="${saml2Protocol}" samlp:ID="_original" ID="_evil"`),
      /does not refer/,
    ],
    'attribute pollution: two IDs of one namespace by two prefixes': [
      polluted('xmlns:a="urn:a" xmlns:b="urn:a" a:ID="_evil" b:ID="_original"'),
      /twice/,
    ],
    'attribute pollution: the URI of the Reference, once more in a namespace': [
      good.replace('URI="#_original"', 'ds:URI="#_evil" URI="#_original"'),
      /missing or unknown/,
    ],
    'attribute pollution: an Algorithm in a namespace': [
      good.replace('<ds:DigestMethod ', '<ds:DigestMethod ds:Algorithm="urn:none" '),
      /missing or unknown/,
    ],
    'namespace confusion: the default namespace as an attribute of xml': [
      sameId.before + unprefixed.replace('<Signature', `<Signature xmlns="urn:x" xml:xmlns="${ds}"`) + sameId.after,
      /reserved/,
    ],
    'namespace confusion: the prefix xml for XML Signature': [onSignature(`xmlns:xml="${ds}"`), /reserved|XML/],
    'namespace confusion: the prefix xmlns for XML Signature': [onSignature(`xmlns:xmlns="${ds}"`), /reserved|XML/],
    'namespace confusion: XML Signature is undeclared again': [onSignature('xmlns=""'), /absolute URI/],
    'namespace confusion: the prefix of XML Signature means two things': [
      sameId.before + signature.replace('<ds:SignedInfo', '<ds:SignedInfo xmlns:ds="urn:x"') + sameId.after,
      /means two things/,
    ],
    'namespace confusion: the prefix of SAML means two things': [
      good.replace('<saml:Subject>', `<saml:Subject xmlns:saml="urn:x"></saml:Subject><saml:Subject>`),
      /means two things/,
    ],
    'namespace confusion: elements without a prefix under a redefined default namespace': [
      unsigned(sameId).replace('</saml:Issuer>', `</saml:Issuer><Signature xmlns="urn:x">${signature}</Signature>`),
      /another place/,
    ],
    'namespace confusion: a namespace that ends in a space': [good.replace(`xmlns:ds="${ds}"`, `xmlns:ds="${ds} "`), /absolute URI/],
    ...voidCanonicalisations(signer),
    'a declared entity in a namespace': [
      `<!DOCTYPE a [<!ENTITY ds "${ds}">]>${good.replace(`xmlns:ds="${ds}"`, 'xmlns:ds="&ds;"')}`,
      /not allowed|document type/,
    ],
    'an attribute default for the ID': [
      `<!DOCTYPE saml:Assertion [<!ATTLIST saml:Assertion ID CDATA "_original">]>${evil.before.replace(' ID="_evil"', '')}${signature}${evil.after}`,
      /not allowed|document type/,
    ],
    'an attribute default for a namespace': [
      `<!DOCTYPE saml:Assertion [<!ATTLIST saml:Assertion xmlns:saml CDATA "${saml2}">]>${good.replace(` xmlns:saml="${saml2}"`, '')}`,
      /not allowed|document type/,
    ],
    'an attribute default that makes a name longer': [
      `<!DOCTYPE saml:Assertion [<!ATTLIST saml:NameID NameQualifier CDATA "urn:evil">]>${good}`,
      /not allowed|document type/,
    ],
    'a relative namespace on the assertion, which is signed with it': [
      signed({ ...original, before: original.before.replace('<saml:Assertion ', '<saml:Assertion xmlns:a="1" ') }, signer),
      /absolute URI/,
    ],
    'a relative namespace that nothing uses': [onAssertion('xmlns:ns="1"'), /absolute URI/],
  }
}

// A relative namespace URI makes libxml2 give up: what is digested, and what is signed, is then nothing at all.
function voidCanonicalisations(signer: Signer): Record<string, Vector> {
  const { evil } = materialOf(signer)
  const nothingSigned = sign('sha256', Buffer.alloc(0), signer.privateKey).toString('base64')
  const voided = (relative: string) =>
    signed(evil, signer, { digest: emptyDigest })
      .replace(/<ds:SignatureValue>[^<]*/, `<ds:SignatureValue>${nothingSigned}`)
      .replace('<saml:Subject>', `<saml:Subject${relative}>`)
  return {
    'void canonicalisation: the digest of nothing, rightly signed': [signed(evil, signer, { digest: emptyDigest }), /not valid/],
    'void canonicalisation: the signature of nothing as well': [voided(''), /not valid/],
    'void canonicalisation: by a relative namespace': [voided(' xmlns:ns="1"'), /absolute URI/],
    'void canonicalisation: by a relative namespace in SignedInfo': [
      voided('').replace('<ds:SignedInfo>', '<ds:SignedInfo xmlns:ns="a/b">'),
      /absolute URI/,
    ],
  }
}
