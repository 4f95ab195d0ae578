import type { Certificate } from '../certificates/certificate.ts'
import type { TrustAnchors } from '../certificates/trust-anchors.ts'
import type { CertificateIdentity } from './certificate-identity.ts'

/** The client has a certificate of an authority that names it (RFC 8705 §2.1). */
export interface AuthorityAuthentication {
  readonly method: 'tls_client_auth'
  readonly identity: CertificateIdentity
  /** The authorities of this client alone; undefined: those of the server. */
  readonly anchors: TrustAnchors | undefined
}

/** The client has registered its certificates (RFC 8705 §2.2). */
export interface RegisteredAuthentication {
  readonly method: 'self_signed_tls_client_auth'
  readonly certificates: RegisteredCertificates
}

/** The certificates that a client has registered (RFC 8705 §2.2.2). */
export interface RegisteredCertificates {
  /** Whether it is one of them. Throws, or rejects with, an `Outage` when they could not be had. */
  has(certificate: Certificate): boolean | Promise<boolean>
  /** Whether the client itself says which they are, and may name those of somebody else. */
  readonly claimed: boolean
}
