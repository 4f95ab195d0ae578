import { namespaces } from '../../src/saml/names.ts'
import { keyInfoOf, partner, response20, type Signer, signed, success, unsigned } from '../saml/forge.ts'
import { materialOf, respond, toAdmin, type Vector } from './saml-material.ts'

const evilUrl = 'https://evil.example'

/** Further bypasses of other programs, of 2024 to 2026. */
export function recentAdvisories(signer: Signer, stranger: Signer): Record<string, Vector> {
  const { original, signature, good, evil, sameId } = materialOf(signer)
  const bare = unsigned(original)
  const hiding = (bytes: string) => good.replace('alice', bytes)
  const extensions = (inside: string) => `<samlp:Extensions>${inside}</samlp:Extensions>`
  return {
    ...unread(hiding),
    'CVE-2025-54369: what was signed beside what is read, in one Response': [
      respond(bare + sameId.before + signature + sameId.after),
      /twice/,
    ],
    'CVE-2024-8698: the signature of the assertion in the place of that of the Response': [
      respond(unsigned(evil)).replace(success, `${signature}${success}`),
      /does not refer/,
    ],
    'CVE-2024-8698: the same, with the assertion that it is about behind the evil one': [
      respond(unsigned(evil) + bare).replace(success, `${signature}${success}`),
      /another assertion/,
    ],
    'CVE-2026-47201: the signed assertion in the Extensions, its signature in a forged one of its id': [
      respond(extensions(bare) + sameId.before + signature + sameId.after),
      /twice|another assertion/,
    ],
    'CVE-2026-47201: the signed assertion in the Extensions under another id, a copy of its signature in both': [
      respond(extensions(good) + evil.before + signature + evil.after),
      /twice|another assertion|another place/,
    ],
    'CVE-2026-47201: the signed Response in the Extensions of an unsigned one': [
      respond(extensions(signed(response20(bare), signer)) + unsigned(evil)),
      /another assertion|another place/,
    ],
    'CVE-2024-32962: the key that the signature brings along': [
      signed({ ...evil, id: '_evil' }, stranger, { keyInfo: keyInfoOf(stranger) }),
      /not valid/,
    ],
    'CVE-2024-32962: the certificate of the issuer beside the key that has signed': [
      signed({ ...evil, id: '_evil' }, stranger, { keyInfo: keyInfoOf(signer) }),
      /not valid/,
    ],
    'CVE-2024-52806: a document type of somebody else': [`<!DOCTYPE x SYSTEM "${evilUrl}/x.dtd">${good}`, /document type/],
    'CVE-2025-23369: an ID that is an entity': [
      `<!DOCTYPE x [<!ENTITY id "_original">]>${toAdmin(good).replace('ID="_original"', 'ID="&id;"')}`,
      /document type|not allowed/,
    ],
    'CVE-2025-23369: an ID of references to characters, of somebody else': [
      toAdmin(good).replace('ID="_original"', 'ID="&#95;original"'),
      /not valid/,
    ],
    'a namespace that is written out for each element when it is digested': [
      toAdmin(good)
        .replace('<saml:Assertion ', `<saml:Assertion xmlns:x="urn:${'x'.repeat(20_000)}" `)
        .replace('</saml:Assertion>', `${'<x:x/>'.repeat(1_000)}</saml:Assertion>`),
      /namespace is longer/,
    ],
    'an Issuer of two meanings': [good.replace(partner, `${partner}<x:x xmlns:x="${namespaces.saml2}"></x:x>`), /not valid|Issuer|issuer/],
  }
}

/** CVE-2025-54369: xml-crypto digests these as if they were text, and readers pass them over, so that a name loses its end. */
function unread(hiding: (name: string) => string): Record<string, Vector> {
  return {
    'CVE-2025-54369: the end of a name in a processing instruction': [hiding('al<?x ice?>'), /processing instruction/],
    'CVE-2025-54369: the beginning of a name in a processing instruction': [hiding('<?x al?>ice'), /processing instruction/],
    'CVE-2025-54369: the end of a name in CDATA': [hiding('al<![CDATA[ice]]>'), /CDATA/],
    'CVE-2025-54369: the end of a name in a comment': [hiding('al<!--ice-->'), /comment/],
  }
}
