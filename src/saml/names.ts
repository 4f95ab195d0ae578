/** The XML namespaces of SAML 1.1 and 2.0, XML Signature and XML Encryption. */
export const namespaces = {
  saml2: 'urn:oasis:names:tc:SAML:2.0:assertion',
  saml2Protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  saml11: 'urn:oasis:names:tc:SAML:1.0:assertion',
  saml11Protocol: 'urn:oasis:names:tc:SAML:1.0:protocol',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  delegation: 'urn:oasis:names:tc:SAML:2.0:conditions:delegation',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  signature11: 'http://www.w3.org/2009/xmldsig11#',
  exclusiveCanonicalization: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  encryption: 'http://www.w3.org/2001/04/xmlenc#',
  encryption11: 'http://www.w3.org/2009/xmlenc11#',
  schemaInstance: 'http://www.w3.org/2001/XMLSchema-instance',
} as const

/** Canonicalisation and transforms (XML Signature §6.6.4, Exclusive XML Canonicalization §4). */
export const transforms = {
  enveloped: 'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
  exclusive: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  exclusiveWithComments: 'http://www.w3.org/2001/10/xml-exc-c14n#WithComments',
} as const

/** Digest algorithms by the name that `node:crypto` has for them (XML Encryption §5.8, RFC 4051 §2.1). */
export const digestAlgorithms = {
  sha256: 'http://www.w3.org/2001/04/xmlenc#sha256',
  sha384: 'http://www.w3.org/2001/04/xmldsig-more#sha384',
  sha512: 'http://www.w3.org/2001/04/xmlenc#sha512',
} as const
/** A hash that signatures of ours and of others may use. SHA-1 is not among them. */
export type HashName = keyof typeof digestAlgorithms

/** Signature algorithms by their JWA name (RFC 4051 §2.3, RFC 6931 §2.3); for ECDSA the name says the hash, and the key its curve. */
export const xmlSignatureAlgorithms = {
  RS256: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  RS384: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha384',
  RS512: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  PS256: 'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
  PS384: 'http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1',
  PS512: 'http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1',
  ES256: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
  ES384: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384',
  ES512: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512',
} as const
/** The JWA name of an algorithm that XML is signed with. */
export type XmlSignatureAlgorithm = keyof typeof xmlSignatureAlgorithms

/** How a SAML 2.0 subject is confirmed (SAML Profiles §3). */
export const confirmationMethods = {
  bearer: 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
  senderVouches: 'urn:oasis:names:tc:SAML:2.0:cm:sender-vouches',
  holderOfKey: 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key',
} as const

/** How a SAML 1.1 subject is confirmed (SAML 1.1 Bindings §5). */
export const confirmationMethods11 = {
  bearer: 'urn:oasis:names:tc:SAML:1.0:cm:bearer',
  senderVouches: 'urn:oasis:names:tc:SAML:1.0:cm:sender-vouches',
  holderOfKey: 'urn:oasis:names:tc:SAML:1.0:cm:holder-of-key',
} as const

/** The NameID format of an Issuer, which is also its default (SAML Core §8.3.6). */
export const entityFormat = 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity'

/** Content encryption by its JWA name (XML Encryption 1.1 §5.2.4). CBC is left out: it can be made to tell what is inside. */
export const xmlContentEncryption = {
  A128GCM: 'http://www.w3.org/2009/xmlenc11#aes128-gcm',
  A192GCM: 'http://www.w3.org/2009/xmlenc11#aes192-gcm',
  A256GCM: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
} as const

/** Key transport (XML Encryption 1.1 §5.5.2): the first one has MGF1 with SHA-1, the second one names its function. RSA 1.5 is left out. */
export const xmlKeyTransport = {
  mgf1Sha1: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  oaep: 'http://www.w3.org/2009/xmlenc11#rsa-oaep',
} as const

/** The mask generation function with SHA-256 (XML Encryption 1.1 §5.5.2). */
export const mgf1Sha256 = 'http://www.w3.org/2009/xmlenc11#mgf1sha256'

/** SHA-1 as the digest inside of RSA-OAEP, where nothing rests on its collisions (XML Signature §6.2.1). */
export const oaepSha1 = 'http://www.w3.org/2000/09/xmldsig#sha1'
