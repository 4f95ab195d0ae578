import { checkServerCertificate } from '../tls/server-certificate.ts'
import type { Surroundings } from './build.ts'
import type { ParsedFile } from './parse.ts'
import type { ServerSettings } from './server-file.ts'

/** Reports a certificate of this server that cannot be served with, and warns of one that clients will not take. */
export function checkListen({
  files,
  texts,
  outside,
  findings,
}: Omit<Surroundings, 'server' | 'kept'> & { readonly files: readonly ParsedFile[] }): void {
  const file = files.find(({ source }) => source.kind === 'server')
  const { issuer, listen } = (file?.blueprint.settings ?? {}) as Partial<ServerSettings>
  if (file === undefined || issuer === undefined || listen?.tls === undefined) return
  const [certificate, privateKey] = [texts.get(listen.tls.certificate), texts.get(listen.tls.privateKey)]
  // What cannot be read is reported where it was tried.
  if (certificate === undefined || privateKey === undefined) return
  const complaints = {
    outside,
    problem: findings.report.bind(findings, file),
    warn: findings.warn.bind(findings, file),
  }
  checkServerCertificate({ certificate, privateKey }, new URL(issuer).hostname, complaints, ['listen', 'tls'])
}
