import { z } from 'zod'
import { type Certificate, readCertificate } from '../certificates/certificate.ts'
import { readCertificates } from '../certificates/pem.ts'
import type { Path } from '../config/problems.ts'
import { distinct, ExternalText, externalText } from '../config/values.ts'
import { isJsonObject, type JsonObject, parseOutsidersObject } from '../json.ts'
import { addressProblem } from '../keys/addresses.ts'
import { warnOfDates } from '../keys/certificate-dates.ts'
import { fetchKeySet } from '../keys/fetch-keys.ts'
import { keySourceShape } from '../keys/key-source.ts'
import { Refreshed } from '../keys/refreshed.ts'
import type { Parts } from '../plugin.ts'
import type { RegisteredCertificates } from './certificate-authentication.ts'

const { jwksUri, jwks, maxStale, allowPrivateNetwork } = keySourceShape

/** The members of `self_signed_tls_client_auth` that say where its certificates are; exactly one of the first three stands there. */
export const certificateSourceShape = {
  certificates: distinct(externalText)
    .min(1)
    .optional()
    .meta({ description: 'Its certificates (PEM); several while one replaces another' }),
  jwksUri: jwksUri.unwrap().optional().meta({ description: 'Where a JWK Set with its certificates (x5c) is fetched from' }),
  jwks: jwks.unwrap().optional().meta({ description: 'A JWK Set with its certificates (x5c), or where it stands' }),
  maxStale,
  allowPrivateNetwork,
}
const shape = z.object(certificateSourceShape)
/** Where the certificates of a client are, parsed. */
export type CertificateSource = z.output<typeof shape>

/** Whether exactly one source is named: the refinement of the object that has `certificateSourceShape`. */
export function namesOneCertificateSource({ certificates, jwksUri: uri, jwks: set }: Partial<CertificateSource>): boolean {
  return [certificates, uri, set].filter(source => source !== undefined).length === 1
}

/** The certificates of a client from wherever its settings, which stand at `path`, say. What cannot work is reported as a problem. */
export function openRegisteredCertificates(source: CertificateSource, parts: Parts, path: Path): RegisteredCertificates {
  const { certificates, jwks: set } = source
  if (certificates !== undefined) {
    return fixed(certificates.flatMap((each, index) => fromPem(parts.text(each), parts, [...path, 'certificates', index])))
  }
  if (set === undefined) return fetched(source, parts, path)
  const object = set instanceof ExternalText ? parseOutsidersObject(parts.text(set)) : set
  const read = object && certificatesIn(object)
  if (read === undefined || read.length === 0) parts.problem([...path, 'jwks'], 'has no key with a certificate (x5c)')
  return fixed((read ?? []).map(certificate => checked(certificate, parts, [...path, 'jwks'])))
}

function fixed(certificates: readonly Certificate[]): RegisteredCertificates {
  const thumbprints = new Set(certificates.map(({ thumbprint }) => thumbprint))
  return { claimed: false, has: ({ thumbprint }) => thumbprints.has(thumbprint) }
}

function fromPem(text: string, parts: Parts, path: Path): readonly Certificate[] {
  const certificates = readCertificates(text)
  if (certificates === undefined) parts.problem(path, 'has no certificate as PEM (-----BEGIN CERTIFICATE-----)')
  // Its authorities would be taken for the client.
  if (certificates !== undefined && certificates.length > 1)
    parts.problem(path, 'has more than one certificate; name each in a file of its own')
  return (certificates ?? []).map(certificate => checked(certificate, parts, path))
}

function checked(certificate: Certificate, parts: Parts, path: Path): Certificate {
  if (certificate.defect !== undefined) parts.problem(path, `the certificate cannot be used: ${certificate.defect}`)
  const refused = ': the client cannot authenticate with it'
  warnOfDates(certificate.x509, { expired: refused, expires: refused, notYetValid: refused }, parts, path)
  return certificate
}

/** The first certificate of each key: the one that has this key (RFC 7517 §4.7). */
function certificatesIn({ keys }: JsonObject): readonly Certificate[] {
  const chains = Array.isArray(keys) ? keys.map(key => (isJsonObject(key) ? key.x5c : undefined)) : []
  const texts = chains.map(chain => (Array.isArray(chain) ? chain[0] : undefined)).filter(text => typeof text === 'string')
  return texts.map(text => readCertificate(Buffer.from(text, 'base64'))).filter(certificate => certificate !== undefined)
}

const unreachable = 'the certificates of the client cannot be fetched now'

function fetched({ jwksUri: uri = '', allowPrivateNetwork: isPrivate, maxStale: stale }: CertificateSource, parts: Parts, path: Path) {
  const problem = addressProblem(uri, isPrivate)
  if (problem !== undefined) parts.problem([...path, 'jwksUri'], problem)
  if (isPrivate)
    parts.warn('private-network', [...path, 'allowPrivateNetwork'], 'certificates may be fetched from addresses of private networks')
  const { fetch, now, log } = parts.outside
  const fetchNow = async () => {
    const { set: object, maxAge } = await fetchKeySet(uri, { fetch, allowPrivateNetwork: isPrivate })
    const certificates = certificatesIn(object)
    if (certificates.length === 0) throw new Error(`${uri} has no key with a certificate (x5c)`)
    return { value: fixed(certificates), maxAge, certificates }
  }
  parts.probe({
    path: [...path, 'jwksUri'],
    what: `the certificates of ${parts.id}`,
    run: async () => `certificates: ${(await fetchNow()).certificates.length}`,
  })
  const { id } = parts
  const onFailure = (error: unknown) => log.warn({ err: error, client: id }, 'the certificates of a client could not be fetched')
  const kept = parts.kept.of(
    ['client-certificates', id, uri, stale, isPrivate],
    () => new Refreshed<RegisteredCertificates>({ fetch: fetchNow, now, maxStale: stale, outage: unreachable, onFailure }),
  )
  return searchable(kept)
}

// The client may have a new certificate.
function searchable(kept: Refreshed<RegisteredCertificates>): RegisteredCertificates {
  return {
    claimed: true,
    async has(certificate) {
      if (await (await kept.current()).has(certificate)) return true
      return await (await kept.searched()).has(certificate)
    },
  }
}
