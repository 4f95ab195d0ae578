import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { distinct, duration, ExternalText, externalText, strict, webAddress } from '../config/values.ts'
import { addressProblem } from '../keys/addresses.ts'
import { warnOfDates } from '../keys/certificate-dates.ts'
import { maxAgeOf } from '../keys/fetch-keys.ts'
import type { GuardedFetch } from '../keys/guarded-fetch.ts'
import { type Fetched, Refreshed } from '../keys/refreshed.ts'
import { Outage } from '../oauth/errors.ts'
import type { Instant, Outside } from '../outside.ts'
import type { Parts } from '../plugin.ts'
import { type EntityKeys, largestMetadata, readEntityKeys } from './metadata-in.ts'
import { everyXmlSignatureAlgorithm, type VerificationKey, verificationKey } from './verification-key.ts'

/** One entry of `issuers`: whose assertions are taken, and whose signatures prove that they are his. */
export const signerSettings = strict({
  entityId: z.string().min(1).meta({ description: 'Exactly what the Issuer of an assertion must be' }),
  certificates: distinct(externalText)
    .min(1)
    .optional()
    .meta({ description: 'The certificates (PEM) whose keys this issuer signs with; several while it changes them' }),
  metadata: z
    .union([webAddress, externalText])
    .optional()
    .meta({ description: 'The SAML metadata of the issuer: an address, or { "file": … }' }),
  metadataSignedBy: distinct(externalText)
    .min(1)
    .optional()
    .meta({ description: 'Certificates (PEM) one of which must have signed the metadata' }),
  maxStale: duration
    .default(86_400)
    .meta({ description: 'How long the last good metadata serve while no new ones can be fetched (default "24h")' }),
  allowPrivateNetwork: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether metadata may be fetched from private and loopback addresses, there also by plain http' }),
}).refine(
  ({ certificates, metadata }) => (certificates === undefined) !== (metadata === undefined),
  'expected exactly one of "certificates" and "metadata"',
)
/** Where the keys of one issuer come from. */
export type SignerSettings = z.output<typeof signerSettings>

/** The keys that one issuer signs with, and nobody else does (SC-18, SC-23). */
export interface IssuerSigners {
  /** Answers without waiting where it can. Throws, or rejects with, an `Outage` when the keys cannot be had. */
  keys(): readonly VerificationKey[] | Promise<readonly VerificationKey[]>
  /** The keys again, after none of them fitted: the issuer may have new ones. Not there where it cannot. */
  searched?(): Promise<readonly VerificationKey[]>
}

/** Opens the signers of the issuer whose settings stand at `path`. What cannot work is reported as a problem. */
export function openSigners(settings: SignerSettings, parts: Parts, path: Path): IssuerSigners {
  const { certificates, metadata, metadataSignedBy } = settings
  if (certificates !== undefined) {
    if (metadataSignedBy !== undefined) parts.problem([...path, 'metadataSignedBy'], 'there are no metadata to be signed')
    return fixed(certificates.flatMap((certificate, index) => pinnedKey(certificate, parts, [...path, 'certificates', index])))
  }
  const trust = metadataSignedBy?.flatMap((certificate, index) => pinnedKey(certificate, parts, [...path, 'metadataSignedBy', index]))
  const read = metadataReader(settings.entityId, parts.outside.now, trust)
  if (metadata instanceof ExternalText) return fromText(metadata, read, parts, [...path, 'metadata'])
  return fetched(metadata ?? '', settings, read, parts, path)
}

type MetadataReader = (text: string) => EntityKeys

// What it closes over outlives the configuration, so it stands apart.
function metadataReader(entityId: string, now: () => Instant, trust: readonly VerificationKey[] | undefined): MetadataReader {
  return text => readEntityKeys(text, entityId, now(), trust && { keys: trust, algorithms: new Set(everyXmlSignatureAlgorithm) })
}

function fixed(keys: readonly VerificationKey[]): IssuerSigners {
  return { keys: () => keys }
}

/** The key of a certificate of the configuration. Its dates are only warned about: what is trusted is the key, and by whom it was put there (SC-19). */
function pinnedKey(external: ExternalText, parts: Parts, path: Path): readonly VerificationKey[] {
  const certificate = readCertificate(parts.text(external))
  if (certificate === undefined) {
    parts.problem(path, 'is not a certificate as PEM (-----BEGIN CERTIFICATE-----)')
    return []
  }
  const key = verificationKey(certificate.publicKey)
  if (typeof key === 'string') {
    parts.problem(path, key)
    return []
  }
  warnOfDates(certificate, trustedKey, parts, path)
  return [key]
}

const trustedKey = { expired: '; its key is still trusted', notYetValid: '; its key is trusted' }

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

function fromText(external: ExternalText, read: MetadataReader, parts: Parts, path: Path): IssuerSigners {
  // Outside: that it is not there was reported where it was tried.
  const text = parts.text(external)
  const entity = tryToRead(() => read(text))
  if (entity instanceof Error) {
    parts.problem(path, entity.message)
    return fixed([])
  }
  const { keys, defects, validUntil } = entity
  if (keys.length === 0) parts.problem(path, `have no key that can be used${defects.map(defect => `; ${defect}`).join('')}`)
  if (validUntil === undefined) return fixed(keys)
  const keysWhileValid = () => {
    if (parts.outside.now() >= validUntil) throw new Outage('the metadata of the issuer of the token are not valid any more')
    return keys
  }
  return { keys: keysWhileValid }
}

function tryToRead(read: () => EntityKeys): EntityKeys | Error {
  try {
    return read()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function fetched(address: string, settings: SignerSettings, read: MetadataReader, parts: Parts, path: Path): IssuerSigners {
  const { entityId, maxStale, allowPrivateNetwork } = settings
  const problem = addressProblem(address, allowPrivateNetwork)
  if (problem !== undefined) parts.problem([...path, 'metadata'], problem)
  if (allowPrivateNetwork) {
    parts.warn('private-network', [...path, 'allowPrivateNetwork'], 'the metadata may be fetched from addresses of private networks')
  }
  const signedBy = settings.metadataSignedBy?.map(certificate => parts.text(certificate)) ?? null
  const name = ['saml-metadata', entityId, address, maxStale, allowPrivateNetwork, signedBy]
  const { outside } = parts
  const metadata = { entityId, address, maxStale, allowPrivateNetwork, read }
  parts.probe({
    path: [...path, 'metadata'],
    what: `the metadata of ${entityId}`,
    run: async () => `usable keys: ${(await fetchKeys(metadata, outside.fetch)).value.length}`,
  })
  const remote = parts.kept.of(name, () => openRemote(metadata, outside))
  return { keys: () => remote.current(), searched: () => searched(remote) }
}

interface RemoteMetadata {
  readonly entityId: string
  readonly address: string
  readonly maxStale: number
  readonly allowPrivateNetwork: boolean
  readonly read: MetadataReader
}

function openRemote(metadata: RemoteMetadata, { fetch, log, now, fetches }: Outside): Refreshed<readonly VerificationKey[]> {
  const { entityId, address, maxStale } = metadata
  const heard = fetches?.of({ kind: 'metadata', issuer: entityId, address })
  return new Refreshed({
    fetch: () => fetchKeys(metadata, fetch),
    now,
    maxStale,
    outage: 'the metadata of the issuer of the token cannot be fetched now',
    onSuccess({ value, maxAge }) {
      heard?.succeeded()
      log.debug({ issuer: entityId, keys: value.length, maxAge }, 'the metadata of an issuer were fetched')
    },
    onFailure(error) {
      heard?.failed()
      log.warn({ err: error, issuer: entityId }, 'the metadata of an issuer could not be fetched')
    },
    onClose: () => heard?.forgotten(),
  })
}

async function searched(remote: Refreshed<readonly VerificationKey[]>): Promise<readonly VerificationKey[]> {
  const keys = await remote.searched()
  // Whether the issuer has a key that fits could not be found out.
  if (remote.failing) throw new Outage('the metadata of the issuer of the token cannot be fetched now')
  return keys
}

const age = { fewest: 60, most: 86_400 }

async function fetchKeys(
  { address, allowPrivateNetwork, read }: RemoteMetadata,
  fetch: GuardedFetch,
): Promise<Fetched<readonly VerificationKey[]>> {
  // The guard asks this again; here it also holds for whatever `fetch` a test brings.
  const problem = addressProblem(address, allowPrivateNetwork)
  if (problem !== undefined) throw new Error(`${address} ${problem}`)
  const headers = { accept: 'application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8' }
  const answer = await fetch(address, { allowPrivateNetwork, headers, maxBytes: largestMetadata })
  if (answer.status !== 200) throw new Error(`${address} answered ${answer.status}`)
  const { keys, defects, cacheDuration, validUntil } = read(await answer.text())
  if (keys.length === 0) throw new Error(`${address} has no key that can be used${defects.map(defect => `; ${defect}`).join('')}`)
  const wanted = cacheDuration ?? maxAgeOf(answer.headers.get('cache-control'))
  const maxAge = Math.min(Math.max(wanted, age.fewest), age.most)
  return { value: keys, maxAge, ...(validUntil !== undefined && { goodUntil: validUntil }) }
}
