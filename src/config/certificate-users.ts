import type { Findings } from './findings.ts'
import type { ParsedFile } from './parse.ts'
import type { ServerSettings } from './server-file.ts'

interface Authenticating {
  readonly authentication?: { readonly method: string; readonly trustAnchors?: unknown }
}

/** Reports clients and token processors that need certificates which never come here, or that nobody could judge. */
export function reportCertificateUsers({ listen }: ServerSettings, files: readonly ParsedFile[], findings: Findings): void {
  const [byTls, byProxy] = [listen.tls?.clientCertificates, listen.proxies?.clientCertificate]
  const comes = byTls !== undefined || byProxy !== undefined
  const missing =
    'server.json has neither "listen.tls.clientCertificates" nor "listen.proxies.clientCertificate": no certificate of a client ever comes here'
  for (const file of files) {
    const { source, blueprint } = file
    if (source.kind === 'token-processors' && blueprint.type === 'x509' && !comes) findings.report(file, ['type'], missing)
    const { authentication } = source.kind === 'clients' ? (blueprint.settings as Authenticating) : {}
    if (!/tls_client_auth$/.test(authentication?.method ?? '')) continue
    const problem = comes ? problemOf(authentication, byTls) : missing
    if (problem !== undefined) findings.report(file, ['authentication', 'method'], problem)
  }
}

function problemOf(
  authentication: Authenticating['authentication'],
  byTls: NonNullable<ServerSettings['listen']['tls']>['clientCertificates'],
): string | undefined {
  const ownAnchors = authentication?.trustAnchors !== undefined
  const isRegistered = authentication?.method === 'self_signed_tls_client_auth'
  if (byTls?.request === 'required' && (isRegistered || ownAnchors))
    return 'server.json requires certificates of its own "trustAnchors" on every connection: this client would not get in'
  if (!isRegistered && !ownAnchors && byTls !== undefined && byTls.trustAnchors === undefined)
    return 'nobody is trusted to certify this client: there are no "trustAnchors" here, and none in "listen.tls.clientCertificates" of server.json'
  return undefined
}
