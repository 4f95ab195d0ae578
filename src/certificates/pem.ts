import { type Certificate, readCertificate } from './certificate.ts'
import type { PresentedChain } from './trust-anchors.ts'

const block = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g

/** All certificates of a text (RFC 7468 §5), in its order; undefined where it has none, or one that cannot be read. */
export function readCertificates(text: string): readonly [Certificate, ...Certificate[]] | undefined {
  const read = [...text.matchAll(block)].map(([, body = '']) => readCertificate(Buffer.from(body, 'base64')))
  const certificates = read.filter(certificate => certificate !== undefined)
  const [first, ...others] = certificates
  return first === undefined || certificates.length < read.length ? undefined : [first, ...others]
}

/** A certificate with those that follow it in the text, as somebody presents them; undefined where they cannot be read. */
export function readChain(text: string): PresentedChain | undefined {
  const [leaf, ...others] = readCertificates(text) ?? []
  return leaf && { leaf, others }
}
