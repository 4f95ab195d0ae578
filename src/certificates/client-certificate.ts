import type { Instant } from '../outside.ts'
import { isValid, type PresentedChain, type TrustAnchors, unfitLeaf } from './trust-anchors.ts'

/**
 * The authorities that certificates of clients are held against where one comes in. `proxy`: the proxy that hands it on has done so,
 * and nobody does it again. Undefined: nobody has said whom to trust.
 */
export type Trust = TrustAnchors | 'proxy' | undefined

/** The certificate of a client, whose private key was proved: to us in the handshake, or to a proxy whose word is believed (RFC 8705 §2, RFC 9440 §3). */
export interface ClientCertificate extends PresentedChain {
  readonly trust: Trust
}

/** Why a certificate is not one of a trusted authority (RFC 8705 §2.1); undefined when it is. */
export function distrust(presented: ClientCertificate, trust: Trust, now: Instant): string | undefined {
  if (trust === undefined) return 'no trust anchors are configured for it'
  if (trust !== 'proxy') return trust.problemOf(presented, now)
  return unfitLeaf(presented.leaf) ?? (isValid(presented.leaf, now) ? undefined : 'the certificate has expired, or is not valid yet')
}
