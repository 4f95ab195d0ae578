import { X509Certificate } from 'node:crypto'
import { TokenRejected } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import { decodeBase64Binary } from './base64.ts'
import { earliest, instantOf } from './facts.ts'
import { namespaces } from './names.ts'
import { readXmlText, type XmlDocument } from './read.ts'
import { type VerificationKey, verificationKey } from './verification-key.ts'
import { type SignatureTrust, type SignedKind, type VerifiedContent, verifyEnveloped } from './verify.ts'
import type { XmlLimits } from './well-formed.ts'
import { childrenOf, type XmlElement } from './xml-element.ts'

/** The limits of metadata: a federation's file is long, and people comment on it. */
export const metadataLimits: XmlLimits = { maxElements: 40_000, maxAttributes: 60_000, maxDepth: 64, comments: true }
/** The largest metadata that are read, in bytes. */
export const largestMetadata = 1_048_576

/** The keys of one entity as its metadata have them. */
export interface EntityKeys {
  readonly keys: readonly VerificationKey[]
  /** Why some of the certificates are not used. */
  readonly defects: readonly string[]
  /** The earliest `validUntil` on the way to the entity. */
  readonly validUntil: Instant | undefined
  /** The shortest `cacheDuration` on the way, in seconds. */
  readonly cacheDuration: number | undefined
}

type MetadataTrust = Pick<SignatureTrust, 'keys' | 'algorithms'>

const { metadata, signature } = namespaces
const metadataKind: SignedKind = { idAttribute: 'ID', signaturePlace: () => 0 }
const mostKeys = 16

/**
 * Reads the signing keys of one entity (SAML Metadata §2.3.2, §2.4.1.1, XA-5) out of its metadata, or those of its federation. With
 * `trust`, only what was signed by one of these keys is read. Throws an `Error` for the log.
 */
export function readEntityKeys(text: string, entityId: string, now: Instant, trust?: MetadataTrust): EntityKeys {
  try {
    return findKeys(text, entityId, now, trust)
  } catch (error) {
    if (!(error instanceof TokenRejected)) throw error
    // What reads tokens reads metadata as well, and calls both a token.
    throw new Error(`cannot be taken as metadata: ${error.message.replaceAll(/the (?:token|assertion)/g, 'the document')}`, {
      cause: error,
    })
  }
}

function findKeys(text: string, entityId: string, now: Instant, trust: MetadataTrust | undefined): EntityKeys {
  // ADFS begins its metadata with a byte order mark.
  const document = readXmlText(text.replace(/^\uFEFF/, ''), metadataLimits)
  const { root } = trust === undefined ? document : verified(document, trust)
  const path = pathTo(entityId, root)
  const entity = path?.at(-1)
  if (path === undefined || entity === undefined) throw new Error(`the metadata do not describe ${entityId} exactly once`)
  const roles = childrenOf(entity, metadata, 'IDPSSODescriptor')
  const validUntil = earliest([...path, ...roles].map(element => instantOf(element, 'validUntil')))
  if (validUntil !== undefined && validUntil <= now) throw new Error(`the metadata of ${entityId} are not valid any more (validUntil)`)
  const cacheDuration = earliest([...path, ...roles].map(element => secondsOf(element.attributes.get('cacheDuration'))))
  return { ...keysOf(roles), validUntil, cacheDuration }
}

function verified(document: XmlDocument, trust: MetadataTrust): VerifiedContent {
  return verifyEnveloped(document, document.root, metadataKind, { ...trust, limits: metadataLimits })
}

/** The elements from the root to the one EntityDescriptor of this id; undefined where there is none, or more than one. */
function pathTo(entityId: string, element: XmlElement): readonly XmlElement[] | undefined {
  if (element.namespace !== metadata) return undefined
  if (element.name === 'EntityDescriptor') return element.attributes.get('entityID') === entityId ? [element] : undefined
  if (element.name !== 'EntitiesDescriptor') return undefined
  const paths = element.children.map(child => pathTo(entityId, child)).filter(path => path !== undefined)
  const [path, ...others] = paths
  return path === undefined || others.length > 0 ? undefined : [element, ...path]
}

/** Certificates are containers of keys here (SAML Metadata Interoperability Profile §2.6.1): their dates and their issuers say nothing. */
function keysOf(roles: readonly XmlElement[]): Pick<EntityKeys, 'keys' | 'defects'> {
  const certificates = roles
    .flatMap(role => childrenOf(role, metadata, 'KeyDescriptor'))
    .filter(({ attributes }) => (attributes.get('use') ?? 'signing') === 'signing')
    .flatMap(descriptor => childrenOf(descriptor, signature, 'KeyInfo'))
    .flatMap(info => childrenOf(info, signature, 'X509Data'))
    .flatMap(data => childrenOf(data, signature, 'X509Certificate'))
  const read = [...new Set(certificates.map(({ text }) => text.replace(/\s/g, '')))].slice(0, mostKeys).map(readCertificate)
  return {
    keys: read.filter(key => typeof key !== 'string'),
    defects: read.filter(key => typeof key === 'string'),
  }
}

function readCertificate(text: string): VerificationKey | string {
  try {
    return verificationKey(new X509Certificate(decodeBase64Binary(text) ?? '').publicKey)
  } catch {
    return 'a certificate cannot be read'
  }
}

const duration = /^P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})(?:\.\d{1,9})?S)?)?$/

/** The seconds of an `xs:duration`; a year and a month as short as they get. One that cannot be read is none. */
function secondsOf(text: string | undefined): number | undefined {
  const found = text === undefined || text.endsWith('T') || text === 'P' ? null : duration.exec(text)
  if (found === null) return undefined
  const units = [365 * 86_400, 28 * 86_400, 86_400, 3600, 60, 1]
  return units.reduce((seconds, unit, index) => seconds + unit * Number(found[index + 1] ?? 0), 0)
}
