import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { PresentedChain } from '../certificates/trust-anchors.ts'
import type { Callers } from '../http/caller.ts'
import { OAuthError } from '../oauth/errors.ts'

/** The certificate that a request to be explained brings, as this server would have it: proved, and held against its authorities. */
export function presentedCertificate(chain: PresentedChain | undefined, callers: Callers): ClientCertificate | undefined {
  if (chain === undefined) return undefined
  const certificate = callers.presenting(chain)
  if (certificate !== undefined) return certificate
  // No client could present it, so that whatever would be said of the request were beside the point.
  throw new OAuthError(
    'malformed-request',
    'this server asks nobody for a certificate: listen.tls.clientCertificates is for its own TLS, listen.proxies.clientCertificate for one that a proxy hands on',
    { setting: 'server.json listen' },
  )
}
