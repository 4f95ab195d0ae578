import type { X509Certificate } from 'node:crypto'
import type { Path } from '../config/problems.ts'
import type { Parts } from '../plugin.ts'

const secondsOfWarning = 30 * 86_400

/** What the dates of a certificate mean where it is named: behind "the certificate expired on …" and "… expires on …". */
export interface Consequences {
  readonly expired: string
  readonly expires?: string
  readonly notYetValid: string
}

type Asking = Pick<Parts, 'warn'> & { readonly outside: Pick<Parts['outside'], 'now'> }

/** Warns of a certificate that has ended, ends within 30 days, or is still to come. Nothing stops by it: what counts is the key (SC-19). */
export function warnOfDates({ validFrom, validTo }: X509Certificate, consequences: Consequences, parts: Asking, path: Path): void {
  const now = parts.outside.now()
  const end = Date.parse(validTo) / 1000
  const day = Number.isNaN(end) ? 'a day that cannot be read' : new Date(end * 1000).toISOString().slice(0, 10)
  const { expired, expires = '', notYetValid } = consequences
  if (now >= end) parts.warn('certificate-expired', path, `the certificate expired on ${day}${expired}`)
  else if (now >= end - secondsOfWarning) parts.warn('certificate-expires', path, `the certificate expires on ${day}${expires}`)
  else if (now < Date.parse(validFrom) / 1000)
    parts.warn('certificate-not-yet-valid', path, `the certificate is not valid yet${notYetValid}`)
}
