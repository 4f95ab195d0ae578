import { execFileSync } from 'node:child_process'
import { constants, createHash, createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestAlgorithms, namespaces, transforms, xmlSignatureAlgorithms } from '../../src/saml/names.ts'

/** The time of these tests, in seconds and as SAML writes it. */
export const now = 1_800_000_000
/** An instant so many seconds from the time of these tests. */
export const at = (seconds: number) => new Date((now + seconds) * 1000).toISOString()

/** The entity id of the partner whose assertions are trusted in these tests. */
export const partner = 'https://idp.partner.example'
export const recipient = 'https://sts.example.com/token'
export const audience = 'https://sts.example.com'

/** A private key with its self-signed certificate. */
export interface Signer {
  readonly privateKey: KeyObject
  readonly certificate: string
  readonly keyPem: string
}

/** Makes a key and its certificate with openssl; `kind` is `rsa:2048`, or the name of a curve. */
export function makeSigner(kind = 'rsa:2048', days = 3650): Signer {
  const folder = mkdtempSync(join(tmpdir(), 'signer-'))
  try {
    const newKey = kind.startsWith('rsa') ? ['-newkey', kind] : ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${kind}`]
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]
    execFileSync('openssl', ['req', '-x509', ...newKey, '-nodes', '-sha256', '-subj', '/CN=t', '-days', String(days), ...files], {
      stdio: 'ignore',
    })
    const keyPem = readFileSync(join(folder, 'key.pem'), 'utf8')
    return { keyPem, privateKey: createPrivateKey(keyPem), certificate: readFileSync(join(folder, 'certificate.pem'), 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The parts of an assertion, each as canonical XML. */
export interface AssertionParts {
  readonly id?: string
  readonly attributes?: string
  readonly issuer?: string
  readonly subject?: string
  readonly conditions?: string
  readonly rest?: string
}

const saml2 = `xmlns:saml="${namespaces.saml2}"`
const saml11 = `xmlns:saml="${namespaces.saml11}"`

export const confirmationData = (attributes = '') =>
  `<saml:SubjectConfirmationData NotOnOrAfter="${at(300)}" Recipient="${recipient}"${attributes}></saml:SubjectConfirmationData>`
export const confirmation = (data = confirmationData(), method = 'urn:oasis:names:tc:SAML:2.0:cm:bearer') =>
  `<saml:SubjectConfirmation Method="${method}">${data}</saml:SubjectConfirmation>`
export const subject = (name = 'alice', confirmations = confirmation()) =>
  `<saml:Subject><saml:NameID>${name}</saml:NameID>${confirmations}</saml:Subject>`
export const restriction = (...audiences: string[]) =>
  `<saml:AudienceRestriction>${audiences.map(each => `<saml:Audience>${each}</saml:Audience>`).join('')}</saml:AudienceRestriction>`
export const conditions = (inside = restriction(audience)) =>
  `<saml:Conditions NotBefore="${at(-60)}" NotOnOrAfter="${at(300)}">${inside}</saml:Conditions>`
export const attribute = (name: string, ...values: string[]) =>
  `<saml:Attribute Name="${name}">${values.map(value => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`
export const attributeStatement = (...attributes: string[]) => `<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement>`
export const authnStatement = (attributes = '') =>
  `<saml:AuthnStatement AuthnInstant="${at(-90)}" SessionIndex="s1"${attributes}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`

/** What stands before and after the signature of a canonical document, and the id that it is signed under. */
export interface Unsigned {
  readonly id: string
  readonly before: string
  readonly after: string
}

/** An assertion of SAML 2.0, canonical, so that its digest needs no canonicalisation. */
export function assertion20(parts: AssertionParts = {}): Unsigned {
  const id = parts.id ?? `_${randomUUID()}`
  return {
    id,
    before: `<saml:Assertion ${saml2} ${parts.attributes ?? `ID="${id}" IssueInstant="${at(-5)}" Version="2.0"`}>${parts.issuer ?? `<saml:Issuer>${partner}</saml:Issuer>`}`,
    after: `${parts.subject ?? subject()}${parts.conditions ?? conditions()}${parts.rest ?? ''}</saml:Assertion>`,
  }
}

export const subject11 = (name = 'alice', method = 'urn:oasis:names:tc:SAML:1.0:cm:bearer') =>
  `<saml:Subject><saml:NameIdentifier>${name}</saml:NameIdentifier><saml:SubjectConfirmation><saml:ConfirmationMethod>${method}</saml:ConfirmationMethod></saml:SubjectConfirmation></saml:Subject>`
export const conditions11 = `<saml:Conditions NotBefore="${at(-60)}" NotOnOrAfter="${at(300)}"><saml:AudienceRestrictionCondition><saml:Audience>${audience}</saml:Audience></saml:AudienceRestrictionCondition></saml:Conditions>`
export const authentication11 = (inside = subject11()) =>
  `<saml:AuthenticationStatement AuthenticationInstant="${at(-90)}" AuthenticationMethod="urn:oasis:names:tc:SAML:1.0:am:password">${inside}</saml:AuthenticationStatement>`
export const attributes11 = (inside = subject11(), name = 'email', value = 'alice@partner.example', namespace = 'urn:example') =>
  `<saml:AttributeStatement>${inside}<saml:Attribute AttributeName="${name}" AttributeNamespace="${namespace}"><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`

/** An assertion of SAML 1.1, canonical. */
export function assertion11(parts: { conditions?: string; statements?: string; minor?: string } = {}): Unsigned {
  const id = `_${randomUUID()}`
  return {
    id,
    before: `<saml:Assertion ${saml11} AssertionID="${id}" IssueInstant="${at(-5)}" Issuer="${partner}" MajorVersion="1" MinorVersion="${parts.minor ?? '1'}">${parts.conditions ?? conditions11}${parts.statements ?? authentication11() + attributes11()}`,
    after: '</saml:Assertion>',
  }
}

export const success =
  '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>'

/** A Response of SAML 2.0 around an assertion, canonical as long as that is. */
export function response20(inside: string, attributes = '', status = success): Unsigned {
  const id = `_${randomUUID()}`
  return {
    id,
    before: `<samlp:Response xmlns:samlp="${namespaces.saml2Protocol}"${attributes} ID="${id}" IssueInstant="${at(-5)}" Version="2.0"><saml:Issuer ${saml2}>${partner}</saml:Issuer>`,
    after: `${status}${inside}</samlp:Response>`,
  }
}

/** The whole without a signature. */
export const unsigned = ({ before, after }: Unsigned) => before + after

type Algorithm = keyof typeof xmlSignatureAlgorithms

/** How a signature departs from the usual. Whatever departs is signed all the same: the mathematics is always right. */
export interface SignatureChanges {
  readonly algorithm?: Algorithm
  readonly uri?: string
  readonly transforms?: string
  readonly canonicalization?: string
  readonly method?: string
  readonly digestMethod?: string
  readonly digest?: string
  readonly keyInfo?: string
  readonly object?: string
  readonly reference?: (reference: string) => string
  readonly signedInfo?: (signedInfo: string) => string
  readonly dsaEncoding?: 'der' | 'ieee-p1363'
}

const ds = `xmlns:ds="${namespaces.signature}"`
/** A transform, or another element that names an algorithm, as it stands in a canonical SignedInfo. */
export const named = (element: string, algorithm: string, inside = '') =>
  `<ds:${element} Algorithm="${algorithm}">${inside}</ds:${element}>`
export const usualTransforms = named('Transform', transforms.enveloped) + named('Transform', transforms.exclusive)

/** The Signature of a canonical document; written canonically itself, so that this needs no other software. */
export function signatureFor(document: Unsigned, { privateKey }: Signer, changes: SignatureChanges = {}): string {
  const algorithm = changes.algorithm ?? 'RS256'
  const digest = changes.digest ?? createHash('sha256').update(unsigned(document)).digest('base64')
  const reference = `<ds:Reference URI="${changes.uri ?? `#${document.id}`}"><ds:Transforms>${changes.transforms ?? usualTransforms}</ds:Transforms>${named('DigestMethod', changes.digestMethod ?? digestAlgorithms.sha256)}<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference>`
  const method = changes.method ?? named('SignatureMethod', xmlSignatureAlgorithms[algorithm])
  const canonicalization = changes.canonicalization ?? named('CanonicalizationMethod', transforms.exclusive)
  const inside = `${canonicalization}${method}${changes.reference?.(reference) ?? reference}</ds:SignedInfo>`
  const value = signBytes(algorithm, `<ds:SignedInfo ${ds}>${inside}`, privateKey, changes.dsaEncoding).toString('base64')
  const signedInfo = `<ds:SignedInfo>${inside}`
  return `<ds:Signature ${ds}>${changes.signedInfo?.(signedInfo) ?? signedInfo}<ds:SignatureValue>${value}</ds:SignatureValue>${changes.keyInfo ?? ''}${changes.object ?? ''}</ds:Signature>`
}

function signBytes(algorithm: Algorithm, text: string, key: KeyObject, dsaEncoding: 'der' | 'ieee-p1363' = 'ieee-p1363'): Buffer {
  const hash = `sha${algorithm.slice(2)}`
  if (algorithm.startsWith('ES')) return sign(hash, Buffer.from(text), { key, dsaEncoding })
  const padding = algorithm.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  return sign(hash, Buffer.from(text), { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
}

/** The document with its signature in its place. */
export function signed(document: Unsigned, signer: Signer, changes: SignatureChanges = {}): string {
  return document.before + signatureFor(document, signer, changes) + document.after
}

/** An XML document as the value of `subject_token`. */
export const token = (xml: string) => Buffer.from(xml).toString('base64url')

/** A certificate as it stands in KeyInfo. */
export function keyInfoOf({ certificate }: Signer): string {
  const base64 = certificate.replace(/-----[A-Z ]+-----|\s/g, '')
  return `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>${base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`
}
