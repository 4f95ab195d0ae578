import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { type ExternalText, externalText } from '../config/values.ts'
import type { Parts } from '../plugin.ts'

/** Members of data stores that talk TLS: whom they believe, and as whom they show themselves. */
export const tlsFiles = {
  ca: externalText
    .optional()
    .meta({ description: 'The certificates (PEM) that sign that of the server; without it, those that the system trusts' }),
  certificate: externalText.optional().meta({ description: 'A certificate (PEM) that is shown to the server' }),
  privateKey: externalText.optional().meta({ description: 'The key (PEM) of "certificate"' }),
}

interface TlsFiles {
  readonly ca?: ExternalText | undefined
  readonly certificate?: ExternalText | undefined
  readonly privateKey?: ExternalText | undefined
}

/** The content of these files, as `tls.connect` takes it. */
export interface TlsChoices {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Reads the files, and reports those that are not what they should be. */
export function readTlsFiles({ ca, certificate, privateKey }: TlsFiles, parts: Parts): TlsChoices {
  if ((certificate === undefined) !== (privateKey === undefined))
    parts.problem([certificate === undefined ? 'privateKey' : 'certificate'], '"certificate" and "privateKey" belong together')
  return { ...(ca && readCa(ca, parts)), ...(certificate && privateKey && readPair(certificate, privateKey, parts)) }
}

function readCa(ca: ExternalText, parts: Parts): TlsChoices {
  const pem = parts.text(ca)
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) parts.problem(['ca'], 'has no certificate in PEM')
  else if (!works(() => blocks.map(block => new X509Certificate(block)))) parts.problem(['ca'], 'has a certificate that cannot be read')
  return { ca: pem }
}

function readPair(certificate: ExternalText, privateKey: ExternalText, parts: Parts): TlsChoices {
  const pair = { cert: parts.text(certificate), key: parts.text(privateKey) }
  if (!works(() => createSecureContext(pair))) parts.problem(['certificate'], 'is no certificate (PEM) with the key of "privateKey"')
  return pair
}

function works(attempt: () => unknown): boolean {
  try {
    attempt()
    return true
  } catch {
    return false
  }
}
