import { createPrivateKey, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { Certificate } from '../certificates/certificate.ts'
import { readCertificates } from '../certificates/pem.ts'
import type { Path } from '../config/problems.ts'
import { warnOfDates } from '../keys/certificate-dates.ts'
import type { Parts } from '../plugin.ts'

/** The texts that TLS is served with. */
export interface CertificateTexts {
  readonly certificate: string
  readonly privateKey: string
}

/** Hears what is wrong. */
export type Complaints = Pick<Parts, 'problem' | 'warn'> & { readonly outside: Pick<Parts['outside'], 'now'> }

/**
 * Reports what keeps the certificate that this server shows, whose settings stand at `path`, from being used, and warns of what keeps
 * clients from taking it. `host` is the name that clients know it by.
 */
export function checkServerCertificate(texts: CertificateTexts, host: string, complaints: Complaints, path: Path): void {
  const [ofCertificate, ofKey] = [
    [...path, 'certificate'],
    [...path, 'privateKey'],
  ]
  const chain = readCertificates(texts.certificate)
  if (chain === undefined) return complaints.problem(ofCertificate, 'has no certificate as PEM (-----BEGIN CERTIFICATE-----)')
  const key = readKey(texts.privateKey)
  if (typeof key === 'string') return complaints.problem(ofKey, key)
  const [leaf] = chain
  if (!leaf.x509.checkPrivateKey(key)) return complaints.problem(ofKey, mismatch(chain, key))
  const unusable = problemOfTls(texts)
  if (unusable !== undefined) return complaints.problem(ofCertificate, unusable)
  const expired = ': clients refuse to connect'
  warnOfDates(leaf.x509, { expired, notYetValid: expired }, complaints, ofCertificate)
  warnOfChain(chain, complaints, ofCertificate)
  warnOfName(leaf, host, complaints, ofCertificate)
}

function readKey(text: string): KeyObject | string {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text))
    return 'is encrypted: nobody is here to type its password'
  try {
    return createPrivateKey(text)
  } catch {
    return 'is not a private key as PEM (-----BEGIN PRIVATE KEY-----)'
  }
}

function mismatch(chain: readonly Certificate[], key: KeyObject): string {
  const at = chain.findIndex(({ x509 }) => x509.checkPrivateKey(key))
  return at < 0
    ? 'is the key of another certificate than "certificate"'
    : `is the key of certificate ${at + 1} of the file: the one of this server stands first`
}

// Whatever else OpenSSL refuses would be found at the start only.
function problemOfTls({ certificate, privateKey }: CertificateTexts): string | undefined {
  try {
    createSecureContext({ cert: certificate, key: privateKey, minVersion: 'TLSv1.2' })
    return undefined
  } catch (error) {
    return `cannot be used for TLS (${(error as NodeJS.ErrnoException).code ?? 'OpenSSL refuses it'})`
  }
}

/** RFC 8446 §4.4.2: each certificate is followed by that of its authority; a root may be left out. */
function warnOfChain(chain: readonly [Certificate, ...Certificate[]], { warn }: Complaints, path: Path): void {
  const [leaf] = chain
  const broken = chain.findIndex((certificate, at) => at > 0 && chain[at - 1]?.x509.checkIssued(certificate.x509) === false)
  const why =
    broken > 0
      ? `certificate ${broken + 1} of the file is not that of the authority of the one before it`
      : `the file has no certificate of its authority, ${leaf.issuer}: clients that do not know that one cannot connect`
  const isWhole = chain.length > 1 || leaf.x509.checkIssued(leaf.x509)
  if (broken > 0 || !isWhole) warn('incomplete-chain', path, why)
}

function warnOfName({ x509 }: Certificate, host: string, { warn }: Complaints, path: Path): void {
  const name = host.replace(/^\[|\]$/g, '')
  const fits = isIP(name) === 0 ? x509.checkHost(name) : x509.checkIP(name)
  if (fits !== undefined) return
  warn('certificate-of-another-host', path, `the certificate does not name ${name}, the host of "issuer": clients refuse to connect`)
}
