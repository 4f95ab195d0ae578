import { constants } from 'node:crypto'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import type { CertificateTexts } from './server-certificate.ts'

/** What TLS is served with. */
export interface TlsMaterial extends CertificateTexts {
  /** Whether clients are asked for certificates, and must bring them. */
  readonly clientCertificates: 'not requested' | 'optional' | 'required'
  /** The authorities (PEM) that the handshake demands where certificates are required. */
  readonly authorities: readonly string[]
}

// RFC 9325 §4.2: forward secrecy and authenticated encryption only. Those of TLS 1.3 have nothing else.
const ciphers = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':')
const secondsToResume = 3600

/** What may change while the server runs: certificate, key and authorities. `ticketKeys`: by which sessions are resumed (RFC 8446 §2.2). */
export function contextOptions(material: TlsMaterial, ticketKeys: Buffer): SecureContextOptions & Pick<TlsOptions, 'ticketKeys'> {
  const { certificate, privateKey, clientCertificates, authorities } = material
  return {
    cert: certificate,
    key: privateKey,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers,
    honorCipherOrder: true,
    ecdhCurve: 'X25519:P-256:P-384',
    // Never none: without a list, Node takes every authority of the system.
    ca: clientCertificates === 'required' ? [...authorities] : [],
    secureOptions: clientCertificates === 'not requested' ? constants.SSL_OP_NO_RENEGOTIATION : withoutTickets,
    sessionTimeout: secondsToResume,
    ticketKeys,
  }
}

// A ticket has the certificate of its client but not the chain, and what was found of both then: each connection proves it anew.
const withoutTickets = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET

/** What stays as it was at the start (RFC 9325; ALPN: RFC 7301). */
export function serverOptions({ clientCertificates }: TlsMaterial): TlsOptions {
  return {
    ALPNProtocols: ['http/1.1'],
    requestCert: clientCertificates !== 'not requested',
    // Where they are optional, whoever relies on one judges it: a self-signed one may be that of a client (RFC 8705 §2.2).
    rejectUnauthorized: clientCertificates === 'required',
  }
}
