import { buildTrustAnchors } from '../certificates/trust-anchor-settings.ts'
import { NotBuilt } from '../plugin.ts'
import { checkServerCertificate } from '../tls/server-certificate.ts'
import type { Surroundings } from './build.ts'
import type { ParsedFile } from './parse.ts'
import type { Path } from './problems.ts'
import type { ServerSettings } from './server-file.ts'
import type { ExternalText } from './values.ts'

type Checked = Omit<Surroundings, 'server' | 'kept'> & { readonly files: readonly ParsedFile[] }

/** Reports what cannot be listened with: a certificate that clients will not take, trust anchors that are none, proxies that are everybody. */
export function checkListen({ files, texts, outside, findings }: Checked): void {
  const file = files.find(({ source }) => source.kind === 'server')
  const { issuer, listen } = (file?.blueprint.settings ?? {}) as Partial<ServerSettings>
  if (file === undefined || issuer === undefined || listen === undefined) return
  const parts = {
    outside,
    problem: findings.report.bind(findings, file),
    warn: findings.warn.bind(findings, file),
    text: (external: ExternalText) => texts.get(external) ?? fail(),
  }
  const { tls, proxies } = listen
  const anchors = [
    [tls?.clientCertificates?.trustAnchors, ['listen', 'tls', 'clientCertificates', 'trustAnchors']],
    [proxies?.clientCertificate?.trustAnchors, ['listen', 'proxies', 'clientCertificate', 'trustAnchors']],
  ] as const
  for (const [externals, path] of anchors) ifReadable(() => externals && buildTrustAnchors(externals, parts, path))
  if (tls !== undefined) {
    ifReadable(() => {
      const shown = { certificate: parts.text(tls.certificate), privateKey: parts.text(tls.privateKey) }
      checkServerCertificate(shown, new URL(issuer).hostname, parts, ['listen', 'tls'])
    })
  }
  if (proxies !== undefined) warnOfProxies(proxies, parts.warn)
}

function warnOfProxies(
  { addresses, clientCertificate }: NonNullable<ServerSettings['listen']['proxies']>,
  warn: (code: string, path: Path, message: string) => void,
): void {
  const path = ['listen', 'proxies']
  for (const [index, address] of addresses.entries()) {
    if (/\/[0-7]$/.test(address))
      warn('everybody-is-a-proxy', [...path, 'addresses', index], 'whoever has one of these addresses may say who calls')
  }
  if (clientCertificate !== undefined && clientCertificate.trustAnchors === undefined)
    warn(
      'proxy-judges-certificates',
      [...path, 'clientCertificate'],
      'without "trustAnchors", a certificate that a proxy hands on is not held against any authority here',
    )
}

// What cannot be read is reported where it was tried.
function ifReadable(check: () => unknown): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof NotBuilt)) throw error
  }
}

function fail(): never {
  throw new NotBuilt()
}
