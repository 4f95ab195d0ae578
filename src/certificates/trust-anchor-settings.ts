import type { Path } from '../config/problems.ts'
import { distinct, type ExternalText, externalText } from '../config/values.ts'
import { warnOfDates } from '../keys/certificate-dates.ts'
import type { Parts } from '../plugin.ts'
import { readCertificates } from './pem.ts'
import { TrustAnchors } from './trust-anchors.ts'

/** `trustAnchors`, wherever certificates of clients are judged. */
export const trustAnchorSettings = distinct(externalText)
  .min(1)
  .meta({ description: 'The certificates (PEM) of the authorities whose certificates are taken; those of the system are not' })

/** What trust anchors are built with. */
export type AnchorParts = Pick<Parts, 'text' | 'problem' | 'warn'> & { readonly outside: Pick<Parts['outside'], 'now'> }

const noMore = ': nobody can authenticate with a certificate of this authority'

/** The authorities whose certificates stand at `path`. */
export function buildTrustAnchors(externals: readonly ExternalText[], parts: AnchorParts, path: Path): TrustAnchors {
  return new TrustAnchors(externals.flatMap((external, index) => readAnchors(parts.text(external), parts, [...path, index])))
}

/** The same, of texts that were checked before. */
export function trustAnchorsOf(externals: readonly ExternalText[], texts: ReadonlyMap<ExternalText, string>): TrustAnchors {
  return new TrustAnchors(externals.flatMap(external => readCertificates(texts.get(external) ?? '') ?? []))
}

function readAnchors(text: string, parts: AnchorParts, path: Path) {
  const certificates = readCertificates(text)
  if (certificates === undefined) {
    parts.problem(path, 'has no certificate as PEM (-----BEGIN CERTIFICATE-----)')
    return []
  }
  for (const { x509, isAuthority, signsCertificates, defect, subject } of certificates) {
    if (!isAuthority || !signsCertificates)
      parts.problem(path, `${subject} is no authority: one certificate alone is trusted by "self_signed_tls_client_auth"`)
    else if (defect !== undefined) parts.problem(path, `${subject} cannot be relied on: ${defect}`)
    warnOfDates(x509, { expired: noMore, notYetValid: noMore }, parts, path)
  }
  return certificates
}
