import type { X509Certificate } from 'node:crypto'
import type { JsonObject } from '../json.ts'

/** What a request brings to show that whoever sends it holds a key; nothing of it has been checked but the certificate. */
export interface PossessionEvidence {
  /** The values of every `DPoP` header (RFC 9449 §4.1). */
  readonly dpopProofs: readonly string[]
  /** That of the TLS connection, whose private key the handshake has proved (RFC 8705 §3). */
  readonly certificate: ProvenCertificate | undefined
}

/** The keys that a request is proved to hold, beside its tokens (`prove-possession.ts`). */
export interface Possession {
  /** RFC 7638 thumbprint of the key that signed the DPoP proof (RFC 9449 §6.1). */
  readonly jkt?: string
  readonly certificate?: ProvenCertificate
}

/** A certificate whose private key is proved to be held. */
export interface ProvenCertificate {
  /** `x5t#S256`: SHA-256 of the DER form, in base64url (RFC 8705 §3.1). */
  readonly thumbprint: string
  readonly x509: X509Certificate
}

/** Which keys somebody must prove to use a token: every one that is named (`cnf`, RFC 7800 §3.1). */
export interface KeyConfirmation extends JsonObject {
  /** RFC 9449 §6.1. */
  readonly jkt?: string
  /** RFC 8705 §3.1. */
  readonly 'x5t#S256'?: string
}

/** Whether and to which kind of key tokens must be bound: `dpop` and `mtls` to that one, `any` to one of the two, `optional` where a DPoP proof is sent. */
export type BindingRule = 'optional' | 'dpop' | 'mtls' | 'any'

/** A request that brings nothing to prove one. */
export const noEvidence: PossessionEvidence = { dpopProofs: [], certificate: undefined }
