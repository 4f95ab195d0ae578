import { createHash, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { rsaWeakness } from '../keys/rsa-strength.ts'
import type { Instant } from '../outside.ts'
import { childrenOf, type DerElement, NotDer, objectIdentifierOf, readOnly, tags } from './der.ts'
import { type DistinguishedName, nameOf } from './distinguished-name.ts'

/** The names of a certificate beside its subject (RFC 5280 §4.2.1.6), those of each kind that a client may be known by. */
export interface AlternativeNames {
  readonly dns: readonly string[]
  readonly uri: readonly string[]
  /** As octets, so that one address is written in one way. */
  readonly ip: readonly Buffer[]
  readonly email: readonly string[]
}

/** A certificate (RFC 5280), and what of it decides whom it names and what it may be used for. */
export interface Certificate {
  readonly x509: X509Certificate
  /** `x5t#S256` (RFC 8705 §3.1): base64url of SHA-256 over the DER. */
  readonly thumbprint: string
  readonly subject: DistinguishedName
  readonly issuer: DistinguishedName
  readonly names: AlternativeNames
  readonly notBefore: Instant
  readonly notAfter: Instant
  /** Basic constraints (§4.2.1.9). */
  readonly isAuthority: boolean
  readonly pathLength: number | undefined
  /** What its key usage (§4.2.1.3) allows; everything where it has none. */
  readonly signs: boolean
  readonly signsCertificates: boolean
  /** Extended key usages (§4.2.1.12); undefined: all. */
  readonly purposes: ReadonlySet<string> | undefined
  /** Why nobody may rely on it: its key or its signature is weak, or it restricts itself in a way that is not understood here. */
  readonly defect: string | undefined
}

const mostBytes = 32_768

/** Reads a certificate in DER. Undefined where it is none. */
export function readCertificate(der: Buffer): Certificate | undefined {
  try {
    return der.length > mostBytes ? undefined : certificateOf(new X509Certificate(der))
  } catch {
    return undefined
  }
}

/** Reads what Node has read already. Undefined where something in it cannot be read. */
export function certificateFrom(x509: X509Certificate): Certificate | undefined {
  try {
    return certificateOf(x509)
  } catch {
    return undefined
  }
}

const extensionNames = {
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  policies: '2.5.29.32',
  extendedKeyUsage: '2.5.29.37',
} as const

function certificateOf(x509: X509Certificate): Certificate {
  const [body, algorithm] = childrenOf(readOnly(x509.raw))
  const members = body === undefined ? [] : childrenOf(body)
  // Version 3 has its number in front (RFC 5280 §4.1.2.1).
  const from = members[0]?.tag === 0xa0 ? 3 : 2
  const extensions = extensionsOf(members.find(({ tag }) => tag === 0xa3))
  const usages = keyUsagesOf(extensions.get(extensionNames.keyUsage)?.value)
  return {
    x509,
    thumbprint: createHash('sha256').update(x509.raw).digest('base64url'),
    subject: nameOf(required(members[from + 2])),
    issuer: nameOf(required(members[from])),
    names: alternativeNamesOf(extensions.get(extensionNames.alternativeNames)?.value),
    notBefore: Date.parse(x509.validFrom) / 1000,
    notAfter: Date.parse(x509.validTo) / 1000,
    ...basicConstraintsOf(extensions.get(extensionNames.basicConstraints)?.value),
    signs: usages?.(0) ?? true,
    signsCertificates: usages?.(5) ?? true,
    purposes: purposesOf(extensions.get(extensionNames.extendedKeyUsage)?.value),
    defect: defectOf(x509, required(algorithm), extensions),
  }
}

interface Extension {
  readonly critical: boolean
  readonly value: DerElement
}

/** RFC 5280 §4.2: by object identifier, each once. */
function extensionsOf(element: DerElement | undefined): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>()
  for (const extension of element === undefined ? [] : childrenOf(readOnly(element.content))) {
    const [name, ...rest] = childrenOf(extension)
    const value = rest.at(-1)
    const id = objectIdentifierOf(required(name))
    if (value?.tag !== tags.octetString || extensions.has(id)) throw new NotDer('an extension is malformed, or stands there twice')
    extensions.set(id, { critical: rest[0]?.tag === tags.boolean && rest[0].content[0] !== 0, value: readOnly(value.content) })
  }
  return extensions
}

function basicConstraintsOf(value: DerElement | undefined): Pick<Certificate, 'isAuthority' | 'pathLength'> {
  const members = value === undefined ? [] : childrenOf(value)
  const length = members.find(({ tag }) => tag === tags.integer)
  return {
    isAuthority: members[0]?.tag === tags.boolean && members[0].content[0] !== 0,
    // A number of several octets bounds nothing that is as short as a chain.
    pathLength: length === undefined || length.content.length > 1 ? undefined : length.content[0],
  }
}

function keyUsagesOf(value: DerElement | undefined): ((bit: number) => boolean) | undefined {
  if (value === undefined) return undefined
  if (value.tag !== tags.bitString) throw new NotDer('a key usage is a bit string')
  // The first octet says how many bits of the last one are not used.
  return bit => (((value.content[1 + (bit >> 3)] ?? 0) >> (7 - (bit & 7))) & 1) === 1
}

function purposesOf(value: DerElement | undefined): ReadonlySet<string> | undefined {
  return value && new Set(childrenOf(value).map(objectIdentifierOf))
}

function alternativeNamesOf(value: DerElement | undefined): AlternativeNames {
  const all = value === undefined ? [] : childrenOf(value)
  // Whole, with whatever stands in it: a name that ends at a zero octet for one reader is another one for the next.
  const texts = (wanted: number) => all.filter(({ tag }) => tag === wanted).map(({ content }) => content.toString('latin1'))
  return { email: texts(0x81), dns: texts(0x82), uri: texts(0x86), ip: all.filter(({ tag }) => tag === 0x87).map(({ content }) => content) }
}

// RFC 4055, RFC 5758, RFC 8410: the signatures of authorities. RSASSA-PSS names its digest in parameters.
const pss = '1.2.840.113549.1.1.10'
const strongDigests = new Set(['2.16.840.1.101.3.4.2.1', '2.16.840.1.101.3.4.2.2', '2.16.840.1.101.3.4.2.3'])
const strongSignatures = new Set([
  ...['1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13'],
  ...['1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4', '1.3.101.112', '1.3.101.113'],
])
const understood: ReadonlySet<string> = new Set(Object.values(extensionNames))

function defectOf({ publicKey }: X509Certificate, algorithm: DerElement, extensions: ReadonlyMap<string, Extension>): string | undefined {
  if (!isStrong(algorithm)) return 'it is signed with an algorithm that is broken or unknown'
  const type = publicKey.asymmetricKeyType
  if (type === 'rsa' || type === 'rsa-pss') {
    const weakness = rsaWeakness(publicKey)
    if (weakness !== undefined) return weakness
  }
  // Constraints of names are marked as critical by those who follow the standard, and mean the same without (RFC 5280 §4.2.1.10).
  if (extensions.has(extensionNames.nameConstraints)) return 'it has name constraints, which are not evaluated here'
  const unknown = [...extensions].find(([name, { critical }]) => critical && !understood.has(name))
  return unknown && `it has the critical extension ${unknown[0]}, which is not known here`
}

function isStrong(algorithm: DerElement): boolean {
  const [identifier, parameters] = childrenOf(algorithm)
  const name = objectIdentifierOf(required(identifier))
  if (name !== pss) return strongSignatures.has(name)
  // RFC 4055 §3.1: without a digest, it is SHA-1.
  const digest = parameters && childrenOf(parameters).find(({ tag }) => tag === 0xa0)
  const [digestName] = digest === undefined ? [] : childrenOf(readOnly(digest.content))
  return digestName !== undefined && strongDigests.has(objectIdentifierOf(digestName))
}

function required(element: DerElement | undefined): DerElement {
  if (element === undefined) throw new NotDer('a member is missing')
  return element
}

/** The octets of an IP address as it is written; undefined where it is none. */
export function octetsOf(address: string): Buffer | undefined {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return undefined
  if (version === 4) return Buffer.from(address.split('.').map(Number))
  // A URL's host name has hexadecimal groups only.
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const [before, after] = [left, right ?? ''].map(part => (part === '' ? [] : part.split(':')))
  const zeros = new Array<string>(8 - (before?.length ?? 0) - (after?.length ?? 0)).fill('0')
  return Buffer.from([...(before ?? []), ...zeros, ...(after ?? [])].map(group => group.padStart(4, '0')).join(''), 'hex')
}
